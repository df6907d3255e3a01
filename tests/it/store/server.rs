//! Servers that run as long as this test program does.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server may take until it listens, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// Runs the program that is its arguments until standard input ends, which it does with the test
/// program, however that ends.
const UNTIL_STDIN_ENDS: &str = r#""$@" & server=$!; read -r _; kill "$server""#;

/// A port of this machine that is free.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Starts `command`, a server that is to listen on `port`, and waits until it does.
#[allow(clippy::zombie_processes)] // it ends when this program does
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
        assert!(since.elapsed() < PATIENCE, "{command:?} does not listen on {address}");
        sleep(PAUSE);
    }
    std::mem::forget(stdin);
    address
}

/// Whether the test goes on without a server: not where `CI` is set.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
