//! Files and blocks, read to what a run would find in them.

use std::ffi::OsString;
use std::fs;

use backtrail::event::content::ContentHasher;
use backtrail::event::{Event, Member};
use backtrail::json::canonical::Canonical;
use backtrail::parse::auth::Auth;
use backtrail::parse::reject::{Reject, Surplus};
use backtrail::parse::{Arrival, Detection, MessageIds, Options, Parser, Sink};
use backtrail::source::{self, Block, PADDING, Reader, discover};

/// Everything that was found, as texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Events and rejects, in order.
    pub records: Vec<String>,
    /// How many lines were read.
    pub lines: u64,
    line: u64,
}

impl Sink for Found {
    fn line(&mut self, line_in_block: u64) {
        self.line = self.lines + line_in_block;
    }

    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        let (mut canonical, mut whole) = (Canonical::default(), Vec::new());
        canonical.write(event.root(), &mut whole);
        let hash = ContentHasher::default().hash(event, &[Member::Category], arrival.plain);
        let whole = String::from_utf8(whole).unwrap();
        let Arrival { captured_at, shape, .. } = arrival;
        self.records.push(format!("{}: {hash:032x} {whole} {captured_at:?} {shape:?}", self.line));
    }

    fn reject(&mut self, reject: Reject<'_>) {
        let line = self.lines + reject.line_in_block;
        let text = String::from_utf8_lossy(reject.record.trim_ascii_end());
        let reason = reject.refusal.reason.name();
        self.records.push(format!("{line}: {reason} at {}: {text}", reject.offset));
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        self.records.push(format!("{} more at {}", surplus.total(), surplus.offset));
    }
}

/// A parser that has seen nothing, and asks captures for what `auth` says.
pub fn parser(auth: Auth) -> Parser {
    Parser::new(Options {
        detection: Detection::EitherId,
        message_ids: MessageIds::Required,
        max_record_bytes: 1 << 16,
        ignored: vec![Member::Category],
        auth,
    })
}

/// A block of `text`, behind which something stands, as it may.
pub fn block(text: &[u8]) -> Block {
    let bytes = [text, &b"\",\"a\":1}".repeat(PADDING)].concat();
    Block { bytes, len: text.len(), ..Block::default() }
}

/// What a file with these bytes gives, read in blocks of about so many bytes, and what is wrong
/// with it.
pub fn file(bytes: &[u8], block_bytes: usize) -> (Found, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    fs::write(&path, bytes).unwrap();
    let Ok(found) = discover(&[OsString::from(path)], true) else {
        return (Found::default(), vec!["nothing found".into()]);
    };
    let limits = source::Options {
        block_bytes,
        max_record_bytes: 1 << 16,
        max_value_bytes: 1 << 20,
        ..source::Options::default()
    };
    let reader = Reader::new(found, limits);
    let (mut parser, mut found, mut block) =
        (parser(Auth::default()), Found::default(), Block::default());
    while let Ok(true) = reader.next(&mut block) {
        let lines = parser.read_block(&block, &mut found);
        found.lines += lines;
    }
    let faults =
        reader.faults().into_iter().map(|fault| format!("{:?} {}", fault.offset, fault.message));
    (found, faults.collect())
}
