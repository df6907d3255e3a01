//! Readers of standard input and pipes that can be interrupted while they block.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// The length of a chunk, in bytes.
const CHUNK_BYTES: usize = 256 << 10;
/// The maximum number of chunks that wait to be consumed.
const MAX_WAITING_CHUNKS: usize = 4;
/// The interval at which a waiting reader checks the stop flag.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// A reader whose source is opened and read by a thread of its own.
///
/// Opening a pipe without a writer and reading from an idle one block and cannot be interrupted,
/// but waiting for that thread can. Once the stop flag is set, the reader is at its end.
pub(super) struct Interruptible {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    position: usize,
    stop: &'static AtomicBool,
}

impl Interruptible {
    /// Starts to read the source that `open` returns, until `stop` is set.
    ///
    /// # Errors
    /// Returns an error if no thread can be started.
    pub fn new<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        stop: &'static AtomicBool,
    ) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(MAX_WAITING_CHUNKS);
        let read_all = move || match open() {
            Ok(source) => read_into(source, &sender),
            Err(error) => drop(sender.send(Err(error))),
        };
        thread::Builder::new().name("pipe".into()).spawn(read_all)?;
        Ok(Self { chunks, chunk: Vec::new(), position: 0, stop })
    }
}

/// Sends the bytes of `source`, then an empty chunk or an error, until the receiver is dropped.
fn read_into(mut source: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
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

impl Read for Interruptible {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.position == self.chunk.len() {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(0);
            }
            match self.chunks.recv_timeout(STOP_CHECK_INTERVAL) {
                Ok(chunk) => {
                    (self.chunk, self.position) = (chunk?, 0);
                    if self.chunk.is_empty() {
                        return Ok(0);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
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

    /// Returns three bytes, then blocks for longer than any test runs.
    struct Blocked(bool);

    impl Read for Blocked {
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
    fn all_bytes_arrive_in_order() {
        let bytes: Vec<u8> = (0..=250).cycle().take(CHUNK_BYTES * 3 + 17).collect();
        let mut source = Interruptible::new(
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
    fn an_error_of_the_source_is_returned() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut source = Interruptible::new(|| Ok(Broken), &NEVER).unwrap();
        assert_eq!(source.read(&mut [0; 8]).unwrap_err().to_string(), "broken");
    }

    #[test]
    fn an_error_of_opening_the_source_is_returned() {
        let open = || Err::<io::Empty, _>(io::Error::other("not there"));
        let mut source = Interruptible::new(open, &NEVER).unwrap();
        assert_eq!(source.read(&mut [0; 8]).unwrap_err().to_string(), "not there");
    }

    #[test]
    fn the_stop_flag_ends_a_blocked_read() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let mut source = Interruptible::new(|| Ok(Blocked(false)), &STOP).unwrap();
        let mut out = [0; 8];
        assert_eq!(source.read(&mut out).unwrap(), 3);
        let waiter = thread::spawn(move || source.read(&mut [0; 8]).unwrap());
        STOP.store(true, Ordering::Relaxed);
        assert_eq!(waiter.join().unwrap(), 0);
    }

    #[test]
    fn the_stop_flag_ends_a_source_that_never_blocks() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let mut source = Interruptible::new(|| Ok(io::repeat(b' ')), &STOP).unwrap();
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 8);
        STOP.store(true, Ordering::Relaxed);
        let rest = io::copy(&mut source, &mut io::sink()).unwrap();
        assert_eq!(rest, CHUNK_BYTES as u64 - 8, "the chunk that was begun is the last");
    }
}
