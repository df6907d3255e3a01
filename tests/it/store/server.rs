//! Servers that run until this test program ends.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The maximum time until a server listens, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the program in its arguments until standard input is closed, which happens when the test
/// program ends for any reason.
const UNTIL_STDIN_ENDS: &str = r#""$@" & server=$!; read -r _; kill "$server""#;

/// Returns a free local port.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Starts `command`, a server that listens on `port`, and waits until it does.
#[allow(clippy::zombie_processes)] // it ends with this program
pub fn start(command: &Command, port: u16) -> SocketAddr {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut shell = Command::new("sh");
    shell.args(["-c", UNTIL_STDIN_ENDS, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    // It stays open until this program ends.
    let stdin = child.stdin.take().unwrap();
    let since = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(since.elapsed() < START_TIMEOUT, "{command:?} does not listen on {address}");
        sleep(POLL_INTERVAL);
    }
    std::mem::forget(stdin);
    address
}

/// Reports that a test is skipped because a server is missing. Panics if `CI` is set.
#[allow(clippy::print_stderr)] // tests report why they are skipped
pub fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
