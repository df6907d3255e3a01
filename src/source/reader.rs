//! All inputs, read by any number of threads at once.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::block::{Block, FileId};
use super::decompress::{DecodeError, Decoder};
use super::discover::{Discovery, Input};
use super::fault::Fault;
use super::input::OpenInput;
use super::stdin::Abandonable;
use super::stream::Stream;

/// What a [`Reader`] does about an input that cannot be read to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFault {
    /// Notes it and goes on with the others.
    #[default]
    Continue,
    /// Stops.
    Stop,
}

/// How inputs are read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many bytes a block has, about. Blocks of longer lines are larger.
    pub block_bytes: usize,
    /// Values of more bytes than this, and lines of anything else, are passed over.
    pub max_record_bytes: usize,
    /// Up to how many bytes a file may be one JSON value over many lines.
    pub max_value_bytes: usize,
    /// What an unreadable input does to the run.
    pub on_fault: OnFault,
    /// Once set, standard input ends, even while nothing comes.
    pub stop: Option<&'static AtomicBool>,
}

impl Default for Options {
    /// The usual sizes: blocks of 1 MiB, records up to 8 MiB, a file's only value up to 256 MiB.
    fn default() -> Self {
        Self {
            block_bytes: 1 << 20,
            max_record_bytes: 8 << 20,
            max_value_bytes: 256 << 20,
            on_fault: OnFault::Continue,
            stop: None,
        }
    }
}

/// Hands out the blocks of all inputs to any number of threads.
///
/// The blocks of one input come in order, those of several inputs mixed. Earlier inputs go first;
/// a later one is opened only when all open ones are being read from by other threads, so there
/// are never more open than there are threads.
pub struct Reader {
    inputs: Vec<Input>,
    options: Options,
    state: Mutex<State>,
    /// Told whenever a stream is given back.
    changed: Condvar,
    bytes_read: Arc<AtomicU64>,
}

struct State {
    /// Index of the first input that was not opened yet.
    next: usize,
    /// Open streams that no thread is reading from.
    idle: Vec<Stream>,
    /// How many threads hold a stream or are opening one.
    busy: usize,
    faults: Vec<Fault>,
    /// The fault that stopped the run.
    stopped: Option<Fault>,
}

/// The right to read from one input; given back when dropped, with the stream if it goes on.
struct Turn<'r> {
    reader: &'r Reader,
    file: FileId,
    /// `None` if it is yet to be opened, or at its end.
    stream: Option<Stream>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.reader.state();
        state.busy -= 1;
        state.idle.extend(self.stream.take());
        drop(state);
        self.reader.changed.notify_all();
    }
}

impl Reader {
    /// Prepares to read what was discovered. Nothing is opened yet.
    pub fn new(discovery: Discovery, options: Options) -> Self {
        let Discovery { inputs, faults } = discovery;
        let stopped = match options.on_fault {
            OnFault::Stop => faults.first().cloned(),
            OnFault::Continue => None,
        };
        let state = State { next: 0, idle: Vec::new(), busy: 0, faults, stopped };
        Self {
            inputs,
            options,
            state: Mutex::new(state),
            changed: Condvar::new(),
            bytes_read: Arc::default(),
        }
    }

    /// Fills `block` with the next block of some input. `false` when there is none left.
    ///
    /// # Errors
    /// The first fault, if the options say to stop at it; to all threads from then on.
    pub fn next(&self, block: &mut Block) -> Result<bool, Fault> {
        let Some(mut turn) = self.take_turn()? else {
            return Ok(false);
        };
        let file = turn.file;
        let mut stream = match turn.stream.take().map_or_else(|| self.open(file), Ok) {
            Ok(stream) => stream,
            Err(error) => {
                block.clear(self.options.block_bytes);
                (block.file, block.number, block.offset) = (file, 0, 0);
                block.make_room(0);
                block.last = true;
                self.report(self.fault(file, None, error.to_string(), None))?;
                return Ok(true);
            }
        };
        stream.next(block, &self.options);
        if !block.last {
            turn.stream = Some(stream);
        } else if let Some(DecodeError { offset, message }) = stream.fault().cloned() {
            self.report(self.fault(file, Some(offset), message, stream.decoded()))?;
        }
        Ok(true)
    }

    /// The inputs, as [`FileId`] counts them.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// What could not be read so far, in the order of the inputs.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.state().faults.clone();
        faults.sort_by_key(|fault| fault.file);
        faults
    }

    /// How many bytes were read so far, as they are stored.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// How many bytes there are to read, as they are stored. `None` if the size of an input, such
    /// as standard input, is not known beforehand.
    pub fn total_bytes(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.size).sum()
    }

    /// Waits until there is something to do. `None` if all is done.
    fn take_turn(&self) -> Result<Option<Turn<'_>>, Fault> {
        let mut state = self.state();
        loop {
            if let Some(fault) = &state.stopped {
                return Err(fault.clone());
            }
            if let Some((file, stream)) = state.earliest(self.inputs.len()) {
                state.busy += 1;
                return Ok(Some(Turn { reader: self, file, stream }));
            }
            if state.busy == 0 {
                return Ok(None);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self, file: FileId) -> io::Result<Stream> {
        let path = self.inputs.get(file.0 as usize).and_then(|input| input.path.as_ref());
        let source: Box<dyn Read + Send> = match (path, self.options.stop) {
            (Some(path), _) => Box::new(File::open(path)?),
            (None, Some(stop)) => Box::new(Abandonable::new(io::stdin(), stop)?),
            (None, None) => Box::new(io::stdin()),
        };
        let decoder = Decoder::new(source, Arc::clone(&self.bytes_read));
        Ok(Stream::new(file, OpenInput::new(decoder)))
    }

    fn fault(
        &self,
        file: FileId,
        offset: Option<u64>,
        message: String,
        decoded: Option<u64>,
    ) -> Fault {
        let input = self.inputs.get(file.0 as usize);
        let display = input.map(|input| input.display.clone()).unwrap_or_default();
        Fault { file: Some(file), display, offset, decoded, message }
    }

    fn report(&self, fault: Fault) -> Result<(), Fault> {
        let mut state = self.state();
        state.faults.push(fault.clone());
        match self.options.on_fault {
            OnFault::Continue => Ok(()),
            OnFault::Stop => Err(state.stopped.get_or_insert(fault).clone()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The earliest input, of `count`, that can be read from now; with its stream if it is open.
    fn earliest(&mut self, count: usize) -> Option<(FileId, Option<Stream>)> {
        let earliest = (0..self.idle.len()).min_by_key(|&at| self.idle[at].file);
        if let Some(at) = earliest {
            let stream = self.idle.swap_remove(at);
            return Some((stream.file, Some(stream)));
        }
        // Files are counted in 32 bits: more could not be listed in memory.
        let file = u32::try_from(self.next).ok().filter(|_| self.next < count)?;
        self.next += 1;
        Some((FileId(file), None))
    }
}
