//! Parses each line of NDJSON files to a tape with simd-json, on all cores, and prints the number of lines:
//! the least that a program must do that parses every line with simd-json.
//!
//! `cargo run --profile dist --example tape -- events.ndjson`, or several files, plain or `.gz`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex};

use flate2::read::MultiGzDecoder;
use simd_json::Buffers;

/// The size of a block, in bytes; it grows with longer lines.
const BLOCK: usize = 1 << 20;

type Source = (Box<dyn Read + Send>, Vec<u8>);

/// Files that no thread reads from at the moment, each with the start of a line that was cut off.
struct Files {
    idle: Mutex<(VecDeque<Source>, usize)>,
    changed: Condvar,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(lines) => {
            #[allow(clippy::print_stdout)] // the result of the program
            {
                println!("{lines}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            #[allow(clippy::print_stderr)] // for people
            {
                eprintln!("tape: {error}");
            }
            ExitCode::from(2)
        }
    }
}

fn run(paths: impl Iterator<Item = String>) -> io::Result<usize> {
    let open = |path: String| -> io::Result<Source> {
        let file = File::open(&path)?;
        let is_gzip = Path::new(&path).extension().is_some_and(|extension| extension == "gz");
        Ok((if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) }, Vec::new()))
    };
    let idle: VecDeque<Source> = paths.map(open).collect::<io::Result<_>>()?;
    let files = Files { idle: Mutex::new((idle, 0)), changed: Condvar::new() };
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| parse_all(&files))).collect();
        let parsed = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        });
        parsed.sum()
    })
}

fn parse_all(files: &Files) -> io::Result<usize> {
    let (mut block, mut buffers, mut lines) = (Vec::new(), Buffers::default(), 0);
    while files.next(&mut block)? {
        for line in block.split_mut(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let tape = simd_json::to_tape_with_buffers(line, &mut buffers);
            std::hint::black_box(tape.map_err(io::Error::other)?);
            lines += 1;
        }
    }
    Ok(lines)
}

impl Files {
    /// Fills `block` with whole lines of some file; returns `false` after the last.
    fn next(&self, block: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let Some((mut file, rest)) = self.take() else { return Ok(false) };
            block.clear();
            block.extend_from_slice(&rest);
            let read = fill(&mut file, block);
            let at_end = !matches!(read, Ok(true));
            let end = match block.iter().rposition(|&byte| byte == b'\n') {
                Some(newline) if !at_end => newline + 1,
                _ => block.len(),
            };
            let rest = block.split_off(end);
            self.give_back((!at_end).then_some((file, rest)));
            read?;
            if !block.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Waits for a file that no other thread reads from. Returns `None` if all are at their ends.
    #[allow(clippy::unwrap_used)] // no thread panics while it holds the lock
    fn take(&self) -> Option<Source> {
        let mut idle = self.idle.lock().unwrap();
        loop {
            if let Some(source) = idle.0.pop_front() {
                idle.1 += 1;
                return Some(source);
            }
            if idle.1 == 0 {
                return None;
            }
            idle = self.changed.wait(idle).unwrap();
        }
    }

    #[allow(clippy::unwrap_used)] // no thread panics while it holds the lock
    fn give_back(&self, source: Option<Source>) {
        let mut idle = self.idle.lock().unwrap();
        idle.1 -= 1;
        idle.0.extend(source);
        drop(idle);
        self.changed.notify_all();
    }
}

/// Reads until `block` has a block of whole lines; returns `false` at the end of the file.
fn fill(file: &mut impl Read, block: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let start = block.len();
        let read = file.by_ref().take(BLOCK as u64).read_to_end(block)?;
        if read < BLOCK {
            return Ok(false);
        }
        if block[start..].contains(&b'\n') {
            return Ok(true);
        }
    }
}
