//! Tests from stored bytes to lines, across modules.

use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::block::{Block, BlockKind, FileId, HEAD_BYTES, PADDING};
use super::bytes::{DecodeError, Stored};
use super::content::{Content, FileInfo};
use super::discover::{Origin, discover};
use super::pushback::Pushback;
use super::reader::{OnFault, Options, Reader};
use super::stream::Stream;
use crate::grammar::{Piece, pieces_of_line};

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

fn options(block_bytes: usize, max_record_bytes: usize) -> Options {
    Options { block_bytes, max_record_bytes, ..Options::default() }
}

/// A line that a parser receives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Text(u64, Vec<u8>),
    Oversize(u64, u64, Vec<u8>),
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns the lines of `text`, in the simplest implementation.
fn lines_of(text: &[u8], max: usize) -> Vec<Line> {
    let mut offset = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut lines = Vec::new();
    for piece in text[offset..].split_inclusive(|&byte| byte == b'\n') {
        let line = without_line_end(piece);
        lines.push(if line.len() > max {
            let head = line[..line.len().min(HEAD_BYTES)].to_vec();
            Line::Oversize(offset as u64, line.len() as u64, head)
        } else {
            Line::Text(offset as u64, line.to_vec())
        });
        offset += piece.len();
    }
    lines
}

/// Returns the lines of a block, after checking the invariants of blocks.
fn lines_of_block(block: &Block) -> Vec<Line> {
    assert!(block.bytes.len() >= block.len + PADDING);
    // A damaged file can look like one of values over many lines.
    assert!(matches!(block.kind, BlockKind::Lines | BlockKind::Values));
    let content = block.content();
    // A line of several values may continue in the next block.
    assert!(block.last || content.ends_with(b"\n") || content.contains(&b'{'));
    let mut at = 0;
    let mut lines = Vec::new();
    for piece in content.split_inclusive(|&byte| byte == b'\n') {
        let offset = block.offset + at as u64;
        let over = block.oversize.iter().find(|over| over.line_in_block == lines.len());
        lines.push(if let Some(over) = over {
            assert!(piece.trim_ascii().is_empty());
            assert_eq!(over.offset, offset);
            Line::Oversize(offset, over.length, over.head.clone())
        } else {
            Line::Text(offset, without_line_end(piece).to_vec())
        });
        at += piece.len();
    }
    lines
}

/// A source that returns few bytes at a time, and an error at the end if `fails`.
struct Trickle {
    bytes: Cursor<Vec<u8>>,
    step: usize,
    fails: bool,
}

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(self.step);
        match self.bytes.read(&mut out[..most])? {
            0 if self.fails => Err(io::Error::other("the disk was removed")),
            count => Ok(count),
        }
    }
}

fn stream(source: impl Read + Send + 'static) -> Stream {
    let stored = Stored::stream(Box::new(source), None, Arc::default());
    let file = FileInfo { name: "", origin: Origin::Named, bytes_read: &Arc::default() };
    match Content::of(Box::new(stored), &file) {
        Ok(Content::Text { source, is_decoded }) => {
            Stream::new(FileId::default(), Pushback::new(source, is_decoded))
        }
        _ => panic!("no text"),
    }
}

/// Returns all lines of a stored file, the error that ended it, and the capacity of the largest
/// buffer.
fn read_all(
    source: impl Read + Send + 'static,
    options: &Options,
) -> (Vec<Line>, Option<DecodeError>, usize) {
    let mut stream = stream(source);
    let mut block = Block::default();
    let (mut lines, mut largest) = (Vec::new(), 0);
    for number in 0.. {
        stream.next(&mut block, options);
        assert_eq!((block.file, block.number), (FileId::default(), number));
        lines.extend(lines_of_block(&block));
        largest = largest.max(block.bytes.capacity());
        if block.last {
            break;
        }
    }
    (lines, stream.fault().cloned(), largest)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn members(text: &[u8], cut: usize, compress: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (head, tail) = text.split_at(cut.min(text.len()));
    [compress(head), compress(tail)].concat()
}

/// Returns text that compresses badly, so that its compressed form has many bytes to cut at.
fn noisy_lines(count: u64) -> Vec<u8> {
    let mut seed = 1_u64;
    let mut text = Vec::new();
    for number in 0..count {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(number);
        writeln!(text, "{{\"n\":{number},\"x\":\"{seed:x}\"}}").unwrap();
    }
    text
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[ab\r \u{e9}]{0,12}",
        1 => "[ab]{0,200}",
        1 => Just(String::new()),
    ];
    let lines = prop::collection::vec(line, 0..20);
    (any::<bool>(), lines, any::<bool>()).prop_map(|(mark, lines, final_line_end)| {
        let mut text = if mark { "\u{feff}".to_owned() } else { String::new() };
        text.push_str(&lines.join("\n"));
        if final_line_end {
            text.push('\n');
        }
        text.into_bytes()
    })
}

proptest! {
    #[test]
    fn blocks_contain_all_lines_of_the_file(
        text in text(),
        block_bytes in 1_usize..100,
        max in 0_usize..150,
        step in 1_usize..50,
        cut in 0_usize..300,
    ) {
        let expected = lines_of(&text, max);
        let stored =
            [text.clone(), gzip(&text), members(&text, cut, gzip), members(&text, cut, zstd)];
        for bytes in stored {
            let source = Trickle { bytes: Cursor::new(bytes), step, fails: false };
            let (lines, fault, largest) = read_all(source, &options(block_bytes, max));
            prop_assert_eq!(&lines, &expected);
            prop_assert_eq!(fault, None);
            prop_assert!(largest <= (max + 2).max(block_bytes) + PADDING);
        }
    }

    #[test]
    fn a_file_that_is_one_value_over_many_lines_is_one_block(
        items in prop::collection::vec("[a{}\\[\\],:\\n]{0,9}", 0..30),
        block_bytes in 1_usize..100,
        mark in any::<bool>(),
        cut in prop::option::of(0_usize..400),
    ) {
        let mut text = serde_json::to_vec_pretty(&serde_json::json!({"list": items})).unwrap();
        if let Some(cut) = cut {
            text.truncate(cut);
        }
        let stored = if mark { [b"\xef\xbb\xbf".as_slice(), &text].concat() } else { text.clone() };
        let mut block = Block::default();
        stream(Cursor::new(stored)).next(&mut block, &options(block_bytes, 1000));
        if is_json(&text) {
            prop_assert_eq!((block.kind, block.last), (BlockKind::Values, true));
            prop_assert_eq!(block.content(), &text);
            prop_assert_eq!(&block.values, &[Piece { range: 0..text.len(), whole: true }]);
            prop_assert_eq!(block.offset, if mark { 3 } else { 0 });
            prop_assert!(block.bytes.len() >= block.len + PADDING);
        } else {
            prop_assert!(block.values.iter().all(|value| !value.whole));
        }
    }

    #[test]
    fn values_do_not_depend_on_the_size_of_blocks(
        (text, expected) in values(),
        // The first block contains the beginning of the first value.
        block_bytes in 2_usize..60,
        step in 1_usize..50,
    ) {
        let source = Trickle { bytes: Cursor::new(text.clone()), step, fails: false };
        let (found, lines) = values_of(source, &options(block_bytes, 100));
        let found: Vec<_> = found.iter().map(|(_, text)| text.clone()).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(lines, memchr::memchr_iter(b'\n', &text).count() as u64);
    }

    #[test]
    fn a_damaged_file_never_panics_and_its_blocks_stay_in_order(
        at in 0_usize..400,
        with in any::<u8>(),
        zstandard in any::<bool>(),
    ) {
        let text = noisy_lines(20);
        let mut bytes = if zstandard { zstd(&text) } else { gzip(&text) };
        let at = at % bytes.len();
        bytes[at] ^= with;
        let _ = read_all(Cursor::new(bytes), &options(64, 1000));
    }
}

/// Reads the file at `path` on `threads` threads; returns the blocks in order.
#[cfg(unix)]
fn blocks_of_file(path: &Path, options: Options, threads: usize) -> Vec<Block> {
    let reader = Reader::new(discover(&[path.into()], true).unwrap(), options);
    let blocks = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut block = Block::default();
                while reader.next(&mut block).unwrap() {
                    blocks.lock().unwrap().push(block.clone());
                }
            });
        }
    });
    assert_eq!(reader.faults(), []);
    let mut blocks = blocks.into_inner().unwrap();
    blocks.sort_by_key(|block| block.number);
    assert_eq!(reader.bytes_read(), fs::metadata(path).unwrap().len());
    blocks
}

#[cfg(unix)]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn blocks_of_a_file_that_threads_read_in_parallel_are_those_of_a_stream(
        lengths in prop::collection::vec(
            prop_oneof![40 => 0_usize..3_000, 2 => 10_000_usize..30_000, 1 => 60_000_usize..150_000],
            1..300,
        ),
        mark in any::<bool>(),
        line_end in any::<bool>(),
        threads in 1_usize..5,
    ) {
        let mut text = if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        for (number, length) in lengths.iter().enumerate() {
            writeln!(text, "{{\"n\":{number},\"x\":\"{}\"}}", "x".repeat(*length)).unwrap();
        }
        text.truncate(text.len() - usize::from(!line_end));
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&text).unwrap();
        let options = options(40_000, 100_000);
        let blocks = blocks_of_file(file.path(), options, threads);
        let shape = |block: &Block| (block.number, block.offset, block.len, block.last);
        let mut stream = stream(Cursor::new(text.clone()));
        let mut expected = Block::default();
        for block in &blocks {
            assert!(stream.next(&mut expected, &options).is_none());
            prop_assert_eq!(shape(block), shape(&expected));
            prop_assert_eq!(block.content(), expected.content());
            prop_assert_eq!(&block.oversize, &expected.oversize);
        }
        prop_assert!(expected.last);
    }
}

#[test]
fn a_value_over_many_lines_that_exceeds_the_limit_is_skipped() {
    let text = serde_json::to_vec_pretty(&vec![1; 400]).unwrap();
    let stored = [&text, b"\n{\n}\n".as_slice()].concat();
    let options = Options { max_value_bytes: 100, ..options(16, 1000) };
    let (values, lines) = values_of(Cursor::new(stored.clone()), &options);
    let oversized = format!("{} bytes", text.len());
    assert_eq!(values, [(0, oversized.into_bytes()), (text.len() as u64 + 1, b"{\n}".to_vec())]);
    assert_eq!(lines, 404);
}

#[test]
fn an_array_over_the_limit_with_one_element_per_line_is_read_as_lines() {
    let text = format!("[\n{}{{}}\n]\n", "{\"a\":1},\n".repeat(50)).into_bytes();
    let options = Options { max_value_bytes: 100, ..options(16, 1000) };
    let (lines, ..) = read_all(Cursor::new(text.clone()), &options);
    assert_eq!(lines, lines_of(&text, 1000));
}

#[test]
fn blanks_before_the_first_value_do_not_determine_the_layout() {
    for before in [" ".repeat(500), "\n".repeat(500), " \r\n".repeat(200) + " ", ",\n".repeat(99)] {
        for (values, tail) in [(vec!["{\n\"a\": 1\n}", "{\n}"], "\n"), (vec!["[\n]"], "")] {
            let text = before.clone() + &values.join("\n") + tail;
            let expected = values
                .iter()
                .map(|&value| (text.find(value).unwrap() as u64, value.as_bytes().to_vec()));
            let expected: Vec<_> = expected.collect();
            for block_bytes in [1, 7, 64, 300, 10_000] {
                let options = options(block_bytes, 1000);
                let (found, lines) = values_of(Cursor::new(text.clone()), &options);
                assert_eq!(found, expected, "{text:?} in blocks of {block_bytes}");
                assert_eq!(lines, text.matches('\n').count() as u64);
            }
        }
    }
}

#[test]
fn comments_longer_than_a_block_do_not_determine_the_layout() {
    let text = "// what this is\n".repeat(40) + "{\n\"a\": 1\n}\n{\n}\n";
    for block_bytes in [1, 16, 64, 10_000] {
        let (found, _) = values_of(Cursor::new(text.clone()), &options(block_bytes, 1000));
        assert!(found.iter().any(|(_, value)| value == b"{\n\"a\": 1\n}"), "{block_bytes}");
    }
}

#[test]
fn an_oversized_value_in_a_line_of_several_does_not_affect_the_others() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
    for (head, tail) in [("{}{\"b\":2}", "{\"c\":3} [4]\n{}"), ("", "{}\n"), ("{},", "\n")] {
        for block_bytes in [7, 64, 300, 10_000] {
            let text = [head, &long, tail].concat();
            let (found, lines) = values_of(Cursor::new(text.clone()), &options(block_bytes, 1000));
            let mut expected: Vec<_> = pieces_of(head, 0);
            expected.push((head.len() as u64, format!("{} bytes", long.len()).into_bytes()));
            expected.extend(pieces_of(tail, head.len() + long.len()));
            assert_eq!(found, expected, "{head} … {tail} in blocks of {block_bytes}");
            assert_eq!(lines, tail.matches('\n').count() as u64);
        }
    }
}

#[test]
fn malformed_newline_delimited_json_is_read_in_bounded_memory() {
    let text = [b"{\"cut\": \n".as_slice(), &noisy_lines(500)].concat();
    let (lines, _, largest) = read_all(Cursor::new(text.clone()), &options(256, 1000));
    assert_eq!(lines, lines_of(&text, 1000));
    assert!(largest < 1000);
}

/// Returns the pieces of `text`, which begins at `offset`, with their offsets.
fn pieces_of(text: &str, offset: usize) -> Vec<(u64, Vec<u8>)> {
    let pieces = text.split_inclusive('\n').scan(0, |start, line| {
        let before = *start;
        *start += line.len();
        let pieces = pieces_of_line(line.as_bytes(), true).unwrap();
        Some(pieces.into_iter().map(move |piece| {
            ((offset + before + piece.range.start) as u64, line.as_bytes()[piece.range].to_vec())
        }))
    });
    pieces.flatten().collect()
}

/// Returns all values of a stored file with their offsets, in any layout, and the number of its
/// lines. An oversized value is represented by its length.
fn values_of(source: impl Read + Send + 'static, options: &Options) -> (Vec<(u64, Vec<u8>)>, u64) {
    let mut stream = stream(source);
    let mut block = Block::default();
    let (mut values, mut lines) = (Vec::new(), 0);
    loop {
        stream.next(&mut block, options);
        let limit = options.block_bytes.max(options.max_record_bytes + 2);
        assert!(block.bytes.len() >= block.len + PADDING && block.len <= limit);
        let oversized = block.oversize.iter();
        values.extend(
            oversized.map(|value| (value.offset, format!("{} bytes", value.length).into_bytes())),
        );
        match block.kind {
            BlockKind::Lines => {
                let text = std::str::from_utf8(block.content()).unwrap();
                values.extend(pieces_of(text, usize::try_from(block.offset).unwrap()));
            }
            BlockKind::Values => values.extend(block.values.iter().map(|value| {
                (
                    block.offset + value.range.start as u64,
                    block.content()[value.range.clone()].to_vec(),
                )
            })),
        }
        lines += block.lines();
        if block.last {
            break;
        }
    }
    values.sort();
    (values, lines)
}

/// Generates values in some layout, and their texts.
fn values() -> impl Strategy<Value = (Vec<u8>, Vec<Vec<u8>>)> {
    let value = prop::collection::btree_map("[ab{}\\[\"]{1,3}", 0..100_u8, 1..4);
    let layout =
        prop::sample::select(vec![("", ""), ("", "\n"), ("", ",\n"), ("\u{1e}", "\n"), (" ", " ")]);
    (prop::collection::vec(value, 1..12), layout, any::<bool>()).prop_map(
        |(values, (before, after), pretty)| {
            let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let texts: Vec<_> = values.iter().map(|value| write(value).unwrap()).collect();
            let text: String = texts.iter().flat_map(|text| [before, text, after]).collect();
            (text.into_bytes(), texts.into_iter().map(String::into_bytes).collect())
        },
    )
}

/// Returns `true` if `lines` are the first lines of `all`, the last of them possibly truncated.
fn is_prefix(lines: &[Line], all: &[Line]) -> bool {
    let Some((Line::Text(offset, cut), whole)) = lines.split_last() else {
        return lines.is_empty();
    };
    let Line::Text(at, full) = &all[whole.len()] else { return false };
    whole == &all[..whole.len()] && offset == at && full.starts_with(cut)
}

#[test]
fn truncated_gzip_returns_the_lines_before_the_cut_and_an_error() {
    let text = noisy_lines(40);
    let bytes = members(&text, 700, gzip);
    let second = gzip(&text[..700]).len();
    let all = lines_of(&text, 1000);
    // One byte does not identify the format, and a cut between members leaves a valid file.
    for cut in (2..bytes.len()).filter(|&cut| cut != second) {
        let (lines, fault, _) = read_all(Cursor::new(bytes[..cut].to_vec()), &options(128, 1000));
        assert!(is_prefix(&lines, &all), "cut at {cut}");
        assert_eq!(fault.unwrap().offset, cut as u64 - u64::from(cut == second + 1));
        if cut > second {
            let decoded = lines.last().map(|line| match line {
                Line::Text(offset, text) => offset + text.len() as u64,
                Line::Oversize(..) => 0,
            });
            assert!(decoded >= Some(699), "the first member is complete: cut at {cut}");
        }
    }
}

#[test]
fn truncated_zstd_returns_the_lines_before_the_cut_and_an_error() {
    let text = noisy_lines(8000);
    let bytes = zstd(&text);
    let all = lines_of(&text, 1000);
    let mut most = 0;
    for cut in (4..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        let (lines, fault, _) = read_all(Cursor::new(bytes[..cut].to_vec()), &options(999, 1000));
        assert!(is_prefix(&lines, &all), "cut at {cut}");
        let fault = fault.unwrap();
        assert_eq!(
            (fault.offset, fault.message.as_str()),
            (cut as u64, "the zstd data is cut off")
        );
        most = most.max(lines.len());
    }
    assert_eq!(most, all.len());
}

#[test]
fn bytes_before_corrupt_data_are_returned() {
    let text = noisy_lines(20_000);
    let all = lines_of(&text, 1000);
    for compress in [gzip, zstd] {
        let mut bytes = compress(&text);
        let damaged = bytes.len() * 6 / 10;
        bytes[damaged..damaged + 64].fill(0xff);
        let (lines, fault, _) = read_all(Cursor::new(bytes), &options(5000, 1000));
        let fault = fault.unwrap();
        assert!(fault.message.starts_with("corrupt"), "{fault:?}");
        // The text compresses uniformly, so slightly less than six tenths of it precede the damage.
        let certain = all.len() / 2;
        assert!(
            lines.len() > certain && lines[..certain] == all[..certain],
            "{} lines",
            lines.len()
        );
    }
}

#[test]
fn a_wrong_checksum_is_an_error_after_all_lines() {
    let text = noisy_lines(100);
    for (mut bytes, from_end) in [(gzip(&text), 8), (zstd(&text), 1)] {
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        let (lines, fault, _) = read_all(Cursor::new(bytes), &options(512, 1000));
        assert_eq!(lines, lines_of(&text, 1000));
        assert!(fault.unwrap().message.starts_with("corrupt"));
    }
}

#[test]
fn garbage_after_compressed_data_is_an_error_and_zero_padding_is_not() {
    let text = noisy_lines(3);
    for bytes in [gzip(&text), zstd(&text)] {
        let padded = [bytes.as_slice(), &[0; 1000]].concat();
        let (lines, fault, _) = read_all(Cursor::new(padded), &options(512, 1000));
        assert_eq!((lines, fault), (lines_of(&text, 1000), None));

        let with_garbage = [bytes.as_slice(), b"garbage"].concat();
        let (lines, fault, _) = read_all(Cursor::new(with_garbage), &options(512, 1000));
        assert_eq!(lines, lines_of(&text, 1000));
        let fault = fault.unwrap();
        assert_eq!(fault.offset, bytes.len() as u64);
        assert!(fault.message.starts_with("garbage"));
    }
}

#[test]
fn a_zstd_file_may_begin_with_a_skippable_frame() {
    let skippable = [0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, b'h', b'i'];
    let bytes = [skippable.as_slice(), &zstd(b"a\nb\n")].concat();
    let (lines, fault, _) = read_all(Cursor::new(bytes), &options(512, 1000));
    assert_eq!((lines, fault), (lines_of(b"a\nb\n", 1000), None));
}

#[test]
fn bytes_before_an_error_of_the_source_are_returned() {
    let text = noisy_lines(10);
    for bytes in [text.clone(), gzip(&text)] {
        let length = bytes.len() as u64;
        let half = bytes[..bytes.len() - 1].to_vec();
        let source = Trickle { bytes: Cursor::new(half), step: 7, fails: true };
        let (lines, fault, _) = read_all(source, &options(64, 1000));
        assert!(is_prefix(&lines, &lines_of(&text, 1000)));
        assert_eq!(lines.len(), 10);
        let fault = fault.unwrap();
        assert_eq!((fault.offset, fault.message.as_str()), (length - 1, "the disk was removed"));
    }
}

#[test]
fn an_oversized_line_is_skipped_in_bounded_memory() {
    let long = vec![b'x'; 3 << 20];
    let text = [b"{}\n".as_slice(), &long, b"\r\n{}\n", &long].concat();
    let (lines, fault, largest) = read_all(Cursor::new(gzip(&text)), &options(4096, 100_000));
    assert_eq!((&lines, fault), (&lines_of(&text, 100_000), None));
    assert_eq!(lines[1], Line::Oversize(3, 3 << 20, vec![b'x'; HEAD_BYTES]));
    assert!(largest <= 100_002 + PADDING);
}

fn reader_of(folder: &Path, options: Options) -> Reader {
    Reader::new(discover(&[folder.into()], false).unwrap(), options)
}

#[test]
fn many_threads_read_many_files_and_every_file_ends_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for number in 0..40_u64 {
        let text = noisy_lines(number * 7);
        let bytes = match number % 3 {
            0 => text.clone(),
            1 => gzip(&text),
            _ => zstd(&text),
        };
        fs::write(folder.path().join(format!("{number:02}")), bytes).unwrap();
        expected.push(lines_of(&text, 1000));
    }
    let reader = reader_of(folder.path(), options(512, 1000));
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut block = Block::default();
                while reader.next(&mut block).unwrap() {
                    let place = (block.file, block.number);
                    found.lock().unwrap().push((place, block.last, lines_of_block(&block)));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    for (input, expected) in (0..).zip(expected) {
        let file = FileId { input, member: 0 };
        let blocks: Vec<_> = found.iter().filter(|(place, ..)| place.0 == file).collect();
        let numbers: Vec<_> = blocks.iter().map(|(place, ..)| place.1 as usize).collect();
        assert_eq!(numbers, (0..blocks.len()).collect::<Vec<_>>());
        assert!(
            blocks.iter().all(|(place, last, _)| *last == (place.1 as usize == blocks.len() - 1))
        );
        let lines: Vec<_> = blocks.iter().flat_map(|(.., lines)| lines.clone()).collect();
        assert_eq!(lines, expected);
    }
    assert_eq!(Some(reader.bytes_read()), reader.total_bytes());
    assert_eq!(reader.faults(), []);
}

#[test]
fn many_threads_read_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = noisy_lines(3000);
    fs::write(folder.path().join("a"), gzip(&text)).unwrap();
    let reader = reader_of(folder.path(), options(300, 1000));
    let lines = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut block = Block::default();
                while reader.next(&mut block).unwrap() {
                    lines.lock().unwrap().extend(lines_of_block(&block));
                }
            });
        }
    });
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    assert_eq!(lines, lines_of(&text, 1000));
}

fn folder_with_faults() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "[1]\n").unwrap();
    fs::write(folder.path().join("b"), &gzip(&noisy_lines(9))[..60]).unwrap();
    fs::write(folder.path().join("c"), "[2]\n").unwrap();
    fs::write(folder.path().join("d"), "[3]\n").unwrap();
    folder
}

#[test]
fn after_a_fault_the_other_files_are_read() {
    let folder = folder_with_faults();
    let reader = reader_of(folder.path(), options(512, 1000));
    fs::remove_file(folder.path().join("c")).unwrap();
    let mut block = Block::default();
    let mut ends = Vec::new();
    while reader.next(&mut block).unwrap() {
        assert!(block.last && block.bytes.len() >= block.len + PADDING);
        ends.push((block.file.input, block.len > 0));
    }
    assert_eq!(ends, [(0, true), (1, true), (3, true)]);
    let faults = reader.faults();
    assert_eq!(
        faults.iter().filter_map(|fault| fault.file).map(|file| file.input).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(faults[0].to_string().contains("/b: at byte 60: the gzip data is cut off (after "));
    assert!(faults[1].to_string().contains("/c: No such file"));
}

#[test]
fn the_first_fault_stops_reading_if_requested() {
    let folder = folder_with_faults();
    let options = Options { on_fault: OnFault::Stop, ..options(512, 1000) };
    let reader = reader_of(folder.path(), options);
    let mut block = Block::default();
    assert_eq!(reader.next(&mut block), Ok(true));
    let fault = reader.next(&mut block).unwrap_err();
    assert_eq!(fault.offset, Some(60));
    assert_eq!(reader.next(&mut block), Err(fault));
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_as_a_stream_of_unknown_size() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = reader_of(&pipe, options(512, 1000));
    assert_eq!(reader.total_bytes(), None);
    let writer = std::thread::spawn(move || fs::write(pipe, gzip(b"1\n2\n")).unwrap());
    let mut block = Block::default();
    assert_eq!(reader.next(&mut block), Ok(true));
    assert_eq!(block.content(), b"1\n2\n");
    writer.join().unwrap();
}
