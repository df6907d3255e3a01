//! A parser that has learned the outlines of earlier lines finds in later ones what a new parser
//! finds.

use backtrail::parse::auth::Auth;

use super::reading::{Found, block, parser};

/// Reads the lines of `data`, put into events, with one parser and with a new one each.
///
/// # Panics
/// If they differ.
pub fn target(data: &[u8]) {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for text in data.split(|&byte| byte == b'\n').take(32) {
        lines.push(text.to_vec());
        let (head, tail) = (
            br#"{"anonymousId":"a","messageId":"m","properties":{"a":1,"value":"#,
            br#"},"type":"track","userId":"u"}"#,
        );
        lines.push([&head[..], text, tail].concat());
        lines.push([&head[..], b"\"", text, b"\"", tail].concat());
    }
    let apart = found(lines.iter().map(|line| {
        let mut one = Found::default();
        parser(Auth::default()).read_block(&block(line), &mut one);
        one
    }));
    let mut learned = parser(Auth::default());
    for round in 0..2 {
        let together = found(lines.iter().map(|line| {
            let mut one = Found::default();
            learned.read_block(&block(line), &mut one);
            one
        }));
        assert_eq!(together, apart, "round {round}");
    }
}

fn found(lines: impl Iterator<Item = Found>) -> Vec<Vec<String>> {
    lines.map(|line| line.records).collect()
}
