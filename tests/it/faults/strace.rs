//! Injects errors and signals at system calls of a process with `strace`.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Calls that write, and calls that open files.
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

/// Files of the system, without which the dynamic loader cannot start a process.
const OF_THE_SYSTEM: [&str; 6] = ["\"/etc/", "\"/lib", "\"/usr/", "\"/proc/", "\"/sys/", "\"/dev/"];

/// What is injected at a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// An error.
    Error(&'static str),
    /// An error at this and all later calls of the same name.
    LastingError(&'static str),
    /// A signal; the call succeeds.
    Signal(&'static str),
}

/// A system call of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The name.
    pub name: String,
    /// The number of the call among those of this name in its thread, from 1.
    pub number: usize,
    /// The number of threads that make the call; a signal is injected in each.
    pub threads: usize,
    /// The call with its arguments and result.
    pub text: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.number, self.text)
    }
}

/// Returns whether `strace` exists and has permission to trace. If `CI` is set it must; otherwise
/// the test reports why it is skipped.
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

/// Wraps `command` in `strace`, which writes calls to `trace`, with an optional injection at a
/// call.
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

/// Parses the calls of a trace. Calls of several threads with the same name and number are
/// combined, as an injection applies to all of them; they are left out if one of them is on a file
/// of the system.
pub fn calls(trace: &Path) -> Vec<Call> {
    let text = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    let mut numbers = HashMap::<(&str, &str), usize>::new();
    let mut calls = Vec::<Call>::new();
    for line in text.lines() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        // The other lines are the ends of calls that were interrupted by those of another thread.
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
