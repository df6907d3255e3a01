//! All inputs, read by any number of threads at once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::abandonable::Abandonable;
use super::block::{Block, FileId};
use super::bytes::{Source, Stored};
use super::discover::{Discovery, Input};
use super::fault::Fault;
use super::files::Files;
use super::inputs::Inputs;
use super::opened::{Next, Opened};
use super::reserved::Reserved;
use crate::store::{ObjectEntry, Prefetcher};

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
    /// Once set, standard input and pipes end, even while nothing comes.
    pub stop: Option<&'static AtomicBool>,
    /// Up to how many bytes of objects of stores are read before they are asked for, about.
    pub ahead_bytes: u64,
}

impl Options {
    /// After so many bytes that do not tell how a file is laid out, it is one line after the other.
    pub(super) fn far(&self) -> usize {
        self.max_record_bytes.saturating_add(self.block_bytes)
    }
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
            ahead_bytes: 128 << 20,
        }
    }
}

/// Hands out the blocks of all inputs to any number of threads.
///
/// The blocks of one input come in order, those of several inputs mixed. Earlier inputs go first;
/// a later one is opened only when all open ones are being read from by other threads, so there
/// are never more open than there are threads.
pub struct Reader {
    inputs: Arc<Inputs>,
    /// How many bytes they have, as they are stored, if that is known of all.
    total_bytes: Option<u64>,
    /// Reads the objects among them.
    ahead: Option<Prefetcher>,
    options: Options,
    state: Mutex<State>,
    /// Told whenever a stream is given back.
    changed: Condvar,
    bytes_read: Arc<AtomicU64>,
}

struct State {
    /// Index of the first input that was not opened yet.
    next: usize,
    /// Open inputs that no thread is reading from.
    idle: Vec<Opened>,
    /// How many threads hold an input or are opening one.
    busy: usize,
    /// The files that were met.
    files: Files,
    /// What is said of files that were passed over.
    passed_over: BTreeSet<(Option<FileId>, String)>,
    faults: Vec<Fault>,
    /// The fault that stopped the run.
    stopped: Option<Fault>,
}

/// The right to read from one input; given back when dropped, with the input if it goes on.
struct Turn<'r> {
    reader: &'r Reader,
    input: u32,
    /// `None` if it is yet to be opened, or at its end.
    opened: Option<Opened>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.reader.state();
        state.busy -= 1;
        state.idle.extend(self.opened.take());
        drop(state);
        self.reader.changed.notify_all();
    }
}

impl Reader {
    /// Prepares to read what was discovered. Nothing is opened yet.
    pub fn new(discovery: Discovery, options: Options) -> Self {
        let Discovery { inputs, faults, passed_over } = discovery;
        let inputs = Arc::new(inputs);
        let stopped = match options.on_fault {
            OnFault::Stop => faults.first().cloned(),
            OnFault::Continue => None,
        };
        let state = State {
            next: 0,
            idle: Vec::new(),
            busy: 0,
            files: Files::new(&inputs),
            passed_over: passed_over.into_iter().map(|text| (None, text)).collect(),
            faults,
            stopped,
        };
        Self {
            ahead: ahead(&inputs, options),
            total_bytes: inputs.iter().map(|input| input.size).sum(),
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
        while let Some(mut turn) = self.take_turn()? {
            let mut opened = match turn.opened.take() {
                Some(opened) => opened,
                None => self.open(turn.input)?,
            };
            let next = opened.next(self, block)?;
            if !opened.is_done() {
                turn.opened = Some(opened);
            }
            drop(turn);
            match next {
                Next::Filled => return Ok(true),
                Next::Reserved(lines) => return self.read(&lines, block).map(|()| true),
                Next::End => {}
            }
        }
        Ok(false)
    }

    /// Fills `block` with `lines`.
    fn read(&self, lines: &Reserved, block: &mut Block) -> Result<(), Fault> {
        lines.read(block, self.options.max_record_bytes).or_else(|error| {
            self.report(Fault {
                file: Some(block.file),
                display: self.name(block.file),
                offset: Some(error.offset),
                decoded: None,
                message: error.message,
            })
        })
    }

    /// The inputs, as they were discovered.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The files that were met so far, in order: inputs, and in place of archives their members.
    pub fn files(&self) -> Files {
        self.state().files.clone()
    }

    /// The name of a file that a block came from.
    pub fn name(&self, file: FileId) -> String {
        self.state().files.name(file)
    }

    /// What is to be said of each file that holds no data and was passed over, in order.
    pub fn passed_over(&self) -> Vec<String> {
        self.state().passed_over.iter().map(|(_, text)| text.clone()).collect()
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
        self.total_bytes
    }

    /// Waits until there is something to do. `None` if all is done.
    fn take_turn(&self) -> Result<Option<Turn<'_>>, Fault> {
        let mut state = self.state();
        loop {
            if let Some(fault) = &state.stopped {
                return Err(fault.clone());
            }
            if let Some((input, opened)) = state.earliest(self.inputs.len()) {
                state.busy += 1;
                return Ok(Some(Turn { reader: self, input, opened }));
            }
            if state.busy == 0 {
                return Ok(None);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self, number: u32) -> Result<Opened, Fault> {
        // Turns are taken at inputs that there are.
        let Some(input) = self.inputs.get(number as usize) else {
            return Ok(Opened::new(number, String::new()));
        };
        let mut opened = Opened::new(number, input.display.clone());
        let source = self.source(number, &input).map_err(|error| Fault {
            file: None,
            display: input.display,
            offset: None,
            decoded: None,
            message: error.to_string(),
        });
        opened.begin(self, source)?;
        Ok(opened)
    }

    /// The bytes of `input`. Opening a pipe waits for its writer, so that is left to the thread
    /// that reads it.
    fn source(&self, number: u32, input: &Input) -> io::Result<Box<dyn Source>> {
        let counter = || Arc::clone(&self.bytes_read);
        if let Some(ahead) = self.ahead.as_ref().filter(|_| input.object.is_some()) {
            let object = Box::new(ahead.open(number));
            return Ok(Box::new(Stored::stream(object, input.size, counter())));
        }
        let is_file = |path| std::fs::metadata(path).map(|metadata| metadata.is_file());
        let stored = match (input.path.clone(), self.options.stop) {
            (Some(path), _) if is_file(&path)? => {
                Stored::file(File::open(path)?, input.size, counter())?
            }
            (Some(path), None) => Stored::stream(Box::new(File::open(path)?), None, counter()),
            (Some(path), Some(stop)) => {
                let source = Abandonable::new(move || File::open(path), stop)?;
                Stored::stream(Box::new(source), None, counter())
            }
            (None, Some(stop)) if input.size.is_none() => {
                let source = Abandonable::new(|| Ok(io::stdin()), stop)?;
                Stored::stream(Box::new(source), None, counter())
            }
            (None, _) => Stored::stream(Box::new(io::stdin()), input.size, counter()),
        };
        Ok(Box::new(stored))
    }

    /// How inputs are read.
    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Counts the bytes that are read.
    pub(super) fn counter(&self) -> &Arc<AtomicU64> {
        &self.bytes_read
    }

    /// Makes a file known: an input as it was discovered, or a member of one.
    pub(super) fn register(&self, file: FileId, name: &str, is_input: bool) {
        let files = &mut self.state().files;
        if is_input {
            files.add_input(file.input);
        } else {
            files.add_member(file, name);
        }
    }

    /// Notes what is said of a file that is passed over; `file` is the next one that is not.
    pub(super) fn pass_over(&self, file: FileId, text: String) {
        self.state().passed_over.insert((Some(file), text));
    }

    /// Notes a fault.
    ///
    /// # Errors
    /// The first fault, if the options say to stop at it.
    pub(super) fn report(&self, fault: Fault) -> Result<(), Fault> {
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

/// What reads the objects among `inputs`, if there are any.
fn ahead(inputs: &Arc<Inputs>, options: Options) -> Option<Prefetcher> {
    if !inputs.has_objects() {
        return None;
    }
    let (inputs, count) = (Arc::clone(inputs), u32::try_from(inputs.len()).unwrap_or(u32::MAX));
    let find = move |index: u32| {
        let input = inputs.get(index as usize)?;
        Some(ObjectEntry { url: input.display.into(), size: input.size, object: input.object? })
    };
    Some(Prefetcher::new(count, Box::new(find), options.ahead_bytes, options.stop))
}

impl State {
    /// The earliest input, of `count`, that can be read from now, and what is open of it.
    fn earliest(&mut self, count: usize) -> Option<(u32, Option<Opened>)> {
        let earliest = (0..self.idle.len()).min_by_key(|&at| self.idle[at].input());
        if let Some(at) = earliest {
            let opened = self.idle.swap_remove(at);
            return Some((opened.input(), Some(opened)));
        }
        // Inputs are counted in 32 bits: more could not be listed in memory.
        let input = u32::try_from(self.next).ok().filter(|_| self.next < count)?;
        self.next += 1;
        Some((input, None))
    }
}
