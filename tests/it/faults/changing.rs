//! Inputs that shrink, grow, disappear or break while they are read.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::strace;
use crate::support::{Finished, Workspace, assert_ledger_holds, gzip, track};

/// Two halves of a history. The boundary between them is the end of a line, and of a compressed
/// member.
fn halves() -> [String; 2] {
    let half = |name: &str| (0..1500).map(|n| track(&format!("{name}{n}"))).collect();
    [half("a"), half("b")]
}

/// Applies `change` to `b.ndjson` after it is found and before it is opened: in the meantime, the
/// run waits for a pipe that comes first.
fn run_while(workspace: &Workspace, input: &str, change: impl FnOnce(&fs::File)) -> Finished {
    let file = fs::File::options().read(true).write(true).open(workspace.path("b.ndjson")).unwrap();
    assert!(Command::new("mkfifo").arg(workspace.path("a")).status().unwrap().success());
    let mut command = workspace.command(["a", input, "-o", "out", "--threads", "1"]);
    if input == "-" {
        command.stdin(file.try_clone().unwrap());
    }
    let running = Workspace::start(command);
    await_begin(workspace);
    change(&file);
    fs::write(workspace.path("a"), track("first")).unwrap();
    running.finish()
}

fn await_begin(workspace: &Workspace) {
    let start = Instant::now();
    while !workspace.path("out").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "the run does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Compresses `bytes` with the program `name`.
fn packed(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(name);
    command.arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take()?.write_all(bytes).ok()?;
    Some(child.wait_with_output().ok()?.stdout)
}

/// Combines two halves into a file whose first part is complete by itself.
type Pack = fn(&[u8]) -> Option<Vec<u8>>;

#[test]
fn a_file_that_shrinks_at_a_member_or_line_is_reported() {
    let packs: [(&str, Pack); 4] = [
        ("plain", |bytes| Some(bytes.to_vec())),
        ("gzip", |bytes| Some(gzip(bytes))),
        ("zstd", |bytes| packed("zstd", bytes)),
        ("xz", |bytes| packed("xz", bytes)),
    ];
    for (name, pack) in packs {
        for input in ["b.ndjson", "-"] {
            let [first, second] = halves().map(|half| pack(half.as_bytes()));
            let (Some(first), Some(second)) = (first, second) else { continue };
            let workspace = Workspace::new();
            workspace.write("b.ndjson", [&first[..], &second].concat());
            let cut = first.len() as u64;
            let finished = run_while(&workspace, input, |file| file.set_len(cut).unwrap());
            let place = format!("{input}: byte {cut}: the file was cut off while it was read");
            finished.exits(2).says(&place);
            assert_ledger_holds(&workspace, "out");
            assert_eq!(workspace.rows("out/signals.csv").len(), 1501, "{name} {input}");
        }
    }
}

#[test]
fn standard_input_is_measured_from_its_position() {
    let workspace = Workspace::new();
    let [first, second] = halves();
    workspace.write("in.ndjson", first.clone() + &second);
    let mut file = fs::File::open(workspace.path("in.ndjson")).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(first.len() as u64)).unwrap();
    let mut command = workspace.command(["-", "-o", "out"]);
    let output = command.stdin(file).output().unwrap();
    Finished::of(&command, output).exits(0);
    assert_eq!(workspace.rows("out/signals.csv").len(), 1500);
    assert_eq!(workspace.report("out")["inputs"][0]["bytes"], second.len());
}

#[test]
fn data_appended_during_a_run_is_read() {
    for input in ["b.ndjson", "-"] {
        let workspace = Workspace::new();
        workspace.write("b.ndjson", track("m1"));
        let finished = run_while(&workspace, input, |_| {
            let path = workspace.path("b.ndjson");
            let mut file = fs::File::options().append(true).open(path).unwrap();
            file.write_all(track("m2").as_bytes()).unwrap();
        });
        finished.exits(0);
        assert_eq!(workspace.rows("out/signals.csv").len(), 3, "{input}");
    }
}

#[test]
fn a_file_that_vanishes_or_becomes_a_folder_is_a_fault_with_its_name() {
    let workspace = Workspace::new();
    workspace.write("b.ndjson", track("m1"));
    let vanished = run_while(&workspace, "b.ndjson", |_| {
        fs::remove_file(workspace.path("b.ndjson")).unwrap();
    });
    vanished.exits(2).says("b.ndjson: No such file or directory");
    assert_eq!(workspace.rows("out/signals.csv").len(), 1);

    let workspace = Workspace::new();
    workspace.write("b.ndjson", track("m1"));
    let replaced = run_while(&workspace, "b.ndjson", |_| {
        fs::remove_file(workspace.path("b.ndjson")).unwrap();
        fs::create_dir(workspace.path("b.ndjson")).unwrap();
    });
    replaced.exits(2).says("b.ndjson: ");
    assert_eq!(workspace.rows("out/signals.csv").len(), 1);
}

#[test]
fn a_disk_that_fails_in_the_middle_of_an_input_is_a_fault_with_its_place() {
    if !strace::is_there() {
        return;
    }
    let workspace = Workspace::new();
    workspace.write("in.ndjson", halves().concat());
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", "trace=read", "-P", "in.ndjson"]);
    command.args(["-e", "inject=read:error=EIO:when=2+", env!("CARGO_BIN_EXE_backtrail")]);
    command.args(["run", "in.ndjson", "-o", "out", "--threads", "1"]);
    command.current_dir(workspace.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    let finished = Finished::of(&command, output).exits(2);
    let finished = finished.says("in.ndjson: byte ").says("Input/output error");
    assert_ledger_holds(&workspace, "out");
    let report = workspace.report("out");
    assert_eq!(report["faults"][0]["path"], "in.ndjson", "{finished}");
    assert!(report["faults"][0]["offset"].as_u64() > Some(0), "{finished}");
}
