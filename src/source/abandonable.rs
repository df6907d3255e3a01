//! Standard input and pipes that can be given up while nothing comes.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 << 10;
/// How many chunks are read ahead.
const AHEAD: usize = 4;
/// How often the flag is looked at while nothing comes.
const PATIENCE: Duration = Duration::from_millis(50);

/// A source that a thread of its own opens and reads: opening a pipe that has no writer, or reading
/// from one that says nothing, cannot be broken off, but waiting for that thread can. Once the flag
/// is set, reading ends as if the source did.
pub(super) struct Abandonable {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    position: usize,
    stop: &'static AtomicBool,
}

impl Abandonable {
    /// Reads what `open` gives until `stop` is set.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        stop: &'static AtomicBool,
    ) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(AHEAD);
        let read_all = move || match open() {
            Ok(source) => read_into(source, &sender),
            Err(error) => drop(sender.send(Err(error))),
        };
        thread::Builder::new().name("pipe".into()).spawn(read_all)?;
        Ok(Self { chunks, chunk: Vec::new(), position: 0, stop })
    }
}

/// Sends all that `source` gives, an empty chunk or an error last, for as long as anybody listens.
fn read_into(mut source: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match source.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let is_last = !matches!(read, Ok(count) if count > 0);
        let sent = sender.send(read.map(|count| {
            chunk.truncate(count);
            chunk
        }));
        if is_last || sent.is_err() {
            return;
        }
    }
}

impl Read for Abandonable {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.position == self.chunk.len() {
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => {
                    (self.chunk, self.position) = (chunk?, 0);
                    if self.chunk.is_empty() {
                        return Ok(0);
                    }
                }
                Err(RecvTimeoutError::Timeout) if !self.stop.load(Ordering::Relaxed) => {}
                Err(_) => return Ok(0),
            }
        }
        let mut rest = &self.chunk[self.position..];
        let count = rest.read(out)?;
        self.position += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    /// Gives one piece, then waits for longer than any test does.
    struct Stuck(bool);

    impl Read for Stuck {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0 {
                thread::sleep(Duration::from_secs(3600));
            }
            self.0 = true;
            out[..3].copy_from_slice(b"abc");
            Ok(3)
        }
    }

    #[test]
    fn all_bytes_come_through_in_order() {
        let bytes: Vec<u8> = (0..=250).cycle().take(CHUNK * 3 + 17).collect();
        let mut source = Abandonable::new(
            {
                let bytes = bytes.clone();
                || Ok(io::Cursor::new(bytes))
            },
            &NEVER,
        )
        .unwrap();
        let mut read = Vec::new();
        source.read_to_end(&mut read).unwrap();
        assert!(read == bytes);
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn an_error_of_the_source_comes_through() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut source = Abandonable::new(|| Ok(Broken), &NEVER).unwrap();
        assert_eq!(source.read(&mut [0; 8]).unwrap_err().to_string(), "broken");
    }

    #[test]
    fn a_source_that_cannot_be_opened_is_an_error() {
        let open = || Err::<io::Empty, _>(io::Error::other("not there"));
        let mut source = Abandonable::new(open, &NEVER).unwrap();
        assert_eq!(source.read(&mut [0; 8]).unwrap_err().to_string(), "not there");
    }

    #[test]
    fn a_source_that_waits_is_given_up_when_the_flag_is_set() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let mut source = Abandonable::new(|| Ok(Stuck(false)), &STOP).unwrap();
        let mut out = [0; 8];
        assert_eq!(source.read(&mut out).unwrap(), 3);
        let waiter = thread::spawn(move || source.read(&mut [0; 8]).unwrap());
        STOP.store(true, Ordering::Relaxed);
        assert_eq!(waiter.join().unwrap(), 0);
    }
}
