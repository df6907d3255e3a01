//! System calls of a process, made to fail or to bring a signal by `strace`.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The calls that write, and those that open files.
const TRACED: [&str; 13] = [
    "write",
    "pwrite64",
    "fsync",
    "rename",
    "renameat",
    "renameat2",
    "openat",
    "link",
    "linkat",
    "ftruncate",
    "unlink",
    "unlinkat",
    "mkdir",
];

/// What belongs to the system: the dynamic loader cannot start a process without it.
const OF_THE_SYSTEM: [&str; 6] = ["\"/etc/", "\"/lib", "\"/usr/", "\"/proc/", "\"/sys/", "\"/dev/"];

/// What becomes of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// It fails.
    Error(&'static str),
    /// It and all later ones of its name fail.
    LastingError(&'static str),
    /// It succeeds, and the process gets a signal.
    Signal(&'static str),
}

/// A call that a process makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// How many calls of this name its thread has made, with this one.
    pub number: usize,
    /// How many threads make it: a signal at it comes as often.
    pub threads: usize,
    /// The call with its arguments and result.
    pub text: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.number, self.text)
    }
}

/// Whether `strace` is there and may trace. Where `CI` is set it must; elsewhere the test says why
/// it is skipped.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn is_there() -> bool {
    let tried = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    let is_there = tried.is_ok_and(|output| output.status.success());
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "strace is needed here");
        eprintln!("skipped: strace is not there, or may not trace");
    }
    is_there
}

/// `command` under `strace`, which writes what it sees to `trace`, with an injection at a call if
/// there is to be one.
pub fn traced(command: &Command, trace: &Path, injection: Option<(&Call, Injection)>) -> Command {
    let names: Vec<String> = TRACED.iter().map(|name| format!("?{name}")).collect();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "16", "-e", "signal=none", "-o"]).arg(trace);
    strace.args(["-e", &format!("trace={}", names.join(","))]);
    if let Some((Call { name, number, .. }, injection)) = injection {
        let (what, lasting) = match injection {
            Injection::Error(error) => (format!("error={error}"), ""),
            Injection::LastingError(error) => (format!("error={error}"), "+"),
            Injection::Signal(signal) => (format!("signal={signal}"), ""),
        };
        strace.args(["-e", &format!("inject={name}:{what}:when={number}{lasting}")]);
    }
    strace.arg(command.get_program()).args(command.get_args());
    strace.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace.stdin(Stdio::null());
    strace
}

/// The calls of a trace. Those of several threads that have one name and number are one: what is
/// injected meets them all. Where one of them is on a file of the system, it is left out.
pub fn calls(trace: &Path) -> Vec<Call> {
    let text = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    let mut numbers = HashMap::<(&str, &str), usize>::new();
    let mut calls = Vec::<Call>::new();
    for line in text.lines() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        // Others are the rest of a call that another thread's stood in.
        let Some((name, _)) = text.split_once('(').filter(|(name, _)| TRACED.contains(name)) else {
            continue;
        };
        let number = numbers.entry((thread, name)).or_default();
        *number += 1;
        calls.push(Call { name: name.into(), number: *number, threads: 1, text: text.into() });
    }
    let key = |call: &Call| (call.name.clone(), call.number);
    let is_of_the_system = |call: &&Call| OF_THE_SYSTEM.iter().any(|at| call.text.contains(at));
    let mut known: HashSet<_> = calls.iter().filter(is_of_the_system).map(key).collect();
    let mut threads = HashMap::<_, usize>::new();
    for call in &calls {
        *threads.entry(key(call)).or_default() += 1;
    }
    calls.retain(|call| known.insert(key(call)));
    for call in &mut calls {
        call.threads = threads[&key(call)];
    }
    calls
}
