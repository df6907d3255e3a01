//! Reading of all inputs by any number of threads.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::block::{Block, FileId};
use super::bytes::{Source, Stored};
use super::discover::{Discovery, Input};
use super::fault::Fault;
use super::files::Files;
use super::inputs::Inputs;
use super::interruptible::Interruptible;
use super::open_input::{Next, OpenInput};
use super::reserved::Reserved;
use crate::store::{ObjectEntry, Prefetcher, StoreError};

/// How a [`Reader`] handles a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFault {
    /// Records it and continues with the other inputs.
    #[default]
    Continue,
    /// Stops reading.
    Stop,
}

/// Options of a [`Reader`].
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The approximate length of a block, in bytes. Blocks with a longer line are larger.
    pub block_bytes: usize,
    /// The maximum length of a value, in bytes, and of a line without values. Longer ones are
    /// skipped.
    pub max_record_bytes: usize,
    /// The maximum length of a file that consists of one JSON value over many lines, in bytes.
    pub max_value_bytes: usize,
    /// How faults are handled.
    pub on_fault: OnFault,
    /// A flag that ends standard input and pipes, even while they block.
    pub stop: Option<&'static AtomicBool>,
    /// The approximate number of bytes of objects that are prefetched.
    pub prefetch_bytes: u64,
}

impl Options {
    /// Returns the number of bytes after which the detection of a file's layout stops and assumes
    /// lines.
    pub(super) fn layout_limit(&self) -> usize {
        self.max_record_bytes.saturating_add(self.block_bytes)
    }
}

impl Default for Options {
    /// Blocks of 1 MiB, records up to 8 MiB, and files of one value up to 256 MiB.
    fn default() -> Self {
        Self {
            block_bytes: 1 << 20,
            max_record_bytes: 8 << 20,
            max_value_bytes: 256 << 20,
            on_fault: OnFault::Continue,
            stop: None,
            prefetch_bytes: 128 << 20,
        }
    }
}

/// Returns the blocks of all inputs to any number of threads.
///
/// The blocks of one input are returned in order, those of several inputs interleaved. Earlier
/// inputs have priority: a later one is opened only if other threads are reading from all open
/// ones, so that there are never more open inputs than threads.
pub struct Reader {
    inputs: Arc<Inputs>,
    /// The sum of the stored sizes in bytes, if all are known.
    total_bytes: Option<u64>,
    /// Downloads the objects among the inputs.
    prefetcher: Option<Prefetcher>,
    options: Options,
    state: Mutex<State>,
    /// Notified when a turn ends.
    changed: Condvar,
    bytes_read: Arc<AtomicU64>,
}

struct State {
    /// The index of the first input that was not opened yet.
    next: usize,
    /// Open inputs that no thread reads from.
    idle: Vec<OpenInput>,
    /// The number of turns.
    busy: usize,
    /// The files that were read.
    files: Files,
    /// Messages about skipped files, each with the file that follows it.
    skipped: BTreeSet<(Option<FileId>, String)>,
    faults: Vec<Fault>,
    /// The fault that stopped reading.
    stopped: Option<Fault>,
}

/// The exclusive right to read from one input. Returns the input to the reader when dropped.
struct Turn<'r> {
    reader: &'r Reader,
    input: u32,
    /// `None` if it was not opened yet, or is at its end.
    opened: Option<OpenInput>,
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
    /// Creates a reader of the inputs that were discovered. Opens none of them.
    pub fn new(discovery: Discovery, options: Options) -> Self {
        let Discovery { inputs, faults, skipped } = discovery;
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
            skipped: skipped.into_iter().map(|text| (None, text)).collect(),
            faults,
            stopped,
        };
        Self {
            prefetcher: prefetcher(&inputs, options),
            total_bytes: inputs.iter().map(|input| input.size).sum(),
            inputs,
            options,
            state: Mutex::new(state),
            changed: Condvar::new(),
            bytes_read: Arc::default(),
        }
    }

    /// Fills `block` with the next block of some input. Returns `false` if there is none left.
    ///
    /// # Errors
    /// Returns the first fault to all threads if [`OnFault::Stop`] is set.
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

    /// Reads `lines` into `block`.
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

    /// Returns the inputs that were discovered.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Returns the files that were read so far, in order. Archives are represented by their
    /// members.
    pub fn files(&self) -> Files {
        self.state().files.clone()
    }

    /// Returns the name of a file.
    pub fn name(&self, file: FileId) -> String {
        self.state().files.name(file)
    }

    /// Returns the messages about skipped files, in order.
    pub fn skipped(&self) -> Vec<String> {
        self.state().skipped.iter().map(|(_, text)| text.clone()).collect()
    }

    /// Returns the faults so far, in the order of the inputs.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.state().faults.clone();
        faults.sort_by_key(|fault| fault.file);
        faults
    }

    /// Returns the errors of stores so far. Each is the message of a fault, too.
    pub fn store_errors(&self) -> Vec<StoreError> {
        self.prefetcher.as_ref().map_or_else(Vec::new, Prefetcher::errors)
    }

    /// Returns the number of stored bytes that were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Returns the sum of the stored sizes in bytes; `None` if the size of an input, such as
    /// standard input, is unknown.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// Waits for an input that no other thread reads. Returns `None` if all inputs are read.
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

    fn open(&self, number: u32) -> Result<OpenInput, Fault> {
        // Cannot happen, as turns have valid indexes.
        let Some(input) = self.inputs.get(number as usize) else {
            return Ok(OpenInput::new(number, String::new()));
        };
        let mut opened = OpenInput::new(number, input.display.clone());
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

    /// Opens `input`. Pipes are opened by the thread that reads them, as opening blocks until there
    /// is a writer.
    fn source(&self, number: u32, input: &Input) -> io::Result<Box<dyn Source>> {
        let counter = || Arc::clone(&self.bytes_read);
        if let Some(prefetcher) = self.prefetcher.as_ref().filter(|_| input.object.is_some()) {
            let object = Box::new(prefetcher.open(number));
            return Ok(Box::new(Stored::stream(object, input.size, counter())));
        }
        let is_file = |path| std::fs::metadata(path).map(|metadata| metadata.is_file());
        let stored = match (input.path.clone(), self.options.stop) {
            (Some(path), _) if is_file(&path)? => {
                Stored::file(File::open(path)?, input.size, counter())?
            }
            (Some(path), None) => Stored::stream(Box::new(File::open(path)?), None, counter()),
            (Some(path), Some(stop)) => {
                let source = Interruptible::new(move || File::open(path), stop)?;
                Stored::stream(Box::new(source), None, counter())
            }
            (None, Some(stop)) if input.size.is_none() => {
                let source = Interruptible::new(|| Ok(io::stdin()), stop)?;
                Stored::stream(Box::new(source), None, counter())
            }
            (None, _) => Stored::stream(Box::new(io::stdin()), input.size, counter()),
        };
        Ok(Box::new(stored))
    }

    /// Returns the options.
    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Returns the counter of stored bytes that were read.
    pub(super) fn counter(&self) -> &Arc<AtomicU64> {
        &self.bytes_read
    }

    /// Registers a file: an input, or a member of one.
    pub(super) fn register(&self, file: FileId, name: &str, is_input: bool) {
        let files = &mut self.state().files;
        if is_input {
            files.add_input(file.input);
        } else {
            files.add_member(file, name);
        }
    }

    /// Records a message about a skipped file; `file` is the id that the next file will have.
    pub(super) fn skip(&self, file: FileId, text: String) {
        self.state().skipped.insert((Some(file), text));
    }

    /// Records a fault.
    ///
    /// # Errors
    /// Returns the first fault if [`OnFault::Stop`] is set.
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

/// Creates the prefetcher of the objects among `inputs`, if there are any.
fn prefetcher(inputs: &Arc<Inputs>, options: Options) -> Option<Prefetcher> {
    if !inputs.has_objects() {
        return None;
    }
    let (inputs, count) = (Arc::clone(inputs), u32::try_from(inputs.len()).unwrap_or(u32::MAX));
    let find = move |index: u32| {
        let input = inputs.get(index as usize)?;
        Some(ObjectEntry { url: input.display.into(), size: input.size, object: input.object? })
    };
    Some(Prefetcher::new(count, Box::new(find), options.prefetch_bytes, options.stop))
}

impl State {
    /// Returns the first of `count` inputs that no thread reads, and its state if it is open.
    fn earliest(&mut self, count: usize) -> Option<(u32, Option<OpenInput>)> {
        let earliest = (0..self.idle.len()).min_by_key(|&at| self.idle[at].input());
        if let Some(at) = earliest {
            let opened = self.idle.swap_remove(at);
            return Some((opened.input(), Some(opened)));
        }
        // Indexes have 32 bits, as a longer list does not fit into memory.
        let input = u32::try_from(self.next).ok().filter(|_| self.next < count)?;
        self.next += 1;
        Some((input, None))
    }
}
