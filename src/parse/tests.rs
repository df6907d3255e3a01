//! The outlines learned from earlier lines must not change the results of later lines.

use proptest::prelude::*;

use super::*;
use crate::event::content::ContentHasher;
use crate::json::canonical::Canonical;
use crate::source::{Block, PADDING};

/// All results of a block, as texts, and the number of lines before the block.
#[derive(Debug, Default, PartialEq)]
struct Found(Vec<String>, u64);

impl Sink for Found {
    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        let mut hasher = ContentHasher::default();
        let mut canonical = Canonical::default();
        let mut whole = Vec::new();
        canonical.write(event.root(), &mut whole);
        let hash = hasher.hash(event, &[Member::Category], arrival.plain);
        let members: Vec<bool> = Member::ALL.iter().map(|&m| event.get(m).is_some()).collect();
        let whole = String::from_utf8(whole).unwrap();
        self.0.push(format!("{hash:032x} {whole} {members:?} {:?}", arrival.captured_at));
    }

    fn reject(&mut self, reject: Reject<'_>) {
        let Reject { refusal, line_in_block, offset, record, is_item } = reject;
        let line_in_block = line_in_block + self.1;
        self.0.push(format!("{refusal:?} {line_in_block} {offset} {record:?} {is_item}"));
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        let Surplus { counts, line_in_block, offset, record } = surplus;
        let line_in_block = line_in_block + self.1;
        self.0.push(format!("{counts:?} {line_in_block} {offset} {record:?}"));
    }
}

fn parser() -> Parser {
    Parser::new(Options {
        detection: Detection::EitherId,
        message_ids: MessageIds::Required,
        max_record_bytes: 1 << 20,
        ignored: vec![Member::Category],
        auth: Auth::default(),
    })
}

fn block(text: &[u8], offset: u64) -> Block {
    let mut bytes = text.to_vec();
    // The bytes after a block may be anything, such as the rest of a line.
    bytes.extend_from_slice(&b"\",\"a\":1}".repeat(PADDING));
    Block { bytes, len: text.len(), offset, ..Block::default() }
}

/// Returns the results of separate parsers that read one line each.
fn found_apart(lines: &[Vec<u8>], ends: &[u8]) -> Found {
    let (mut found, mut offset) = (Found::default(), 0);
    for line in lines {
        parser().read_block(&block(line, offset), &mut found);
        found.1 += 1;
        offset += (line.len() + ends.len()) as u64;
    }
    Found(found.0, 0)
}

fn found_together(parser: &mut Parser, lines: &[Vec<u8>], ends: &[u8]) -> Found {
    let mut found = Found::default();
    let text = lines.join(ends);
    parser.read_block(&block(&text, 0), &mut found);
    found
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-c é\u{1f600}]{0,40}".prop_map(|text| format!("\"{text}\"")),
        1 => prop::sample::select(vec![
            "null", "true", "false", "{}", "[]", "0", "-0", "7", "-12", "1.5", "1.50", "1e3",
            "123456789012345678", "18446744073709551616", "0.0000001", "\"a\\nb\"", "\"\\u00e9\"",
            "\"\\ud800\"", "\"tab\there\"", "01", "+1", "nul", "\"open",
        ]).prop_map(str::to_owned),
    ]
}

/// Generates objects with few different names, so that they share outlines.
fn object() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec!["a", "b", "context", "type", "n\u{e9}", "z"]);
    let blank = prop::sample::select(vec!["", "", "", "", "", " ", "\t"]);
    let member = |value: BoxedStrategy<String>| {
        (names.clone(), blank.clone(), value).prop_map(|(n, b, v)| format!("\"{n}\":{b}{v}"))
    };
    let flat = prop::collection::vec(member(scalar().boxed()), 0..4)
        .prop_map(|members| format!("{{{}}}", members.join(",")));
    let list =
        prop::collection::vec(scalar(), 0..3).prop_map(|items| format!("[{}]", items.join(",")));
    let inner = prop_oneof![4 => scalar(), 1 => flat, 1 => list].boxed();
    prop::collection::vec(member(inner), 0..4).prop_map(|members| members.join(","))
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let event = (scalar(), object(), scalar(), object()).prop_map(|(id, members, user, more)| {
        let more = if more.is_empty() { more } else { format!(",{more}") };
        format!(
            r#"{{"anonymousId":{id},"messageId":"m","properties":{{{members}}},"type":"track","userId":{user}{more}}}"#
        )
    })
    .boxed();
    let text = prop_oneof![
        8 => event.clone(),
        1 => event.clone().prop_map(|event| format!(r#"{{"batch":[{event}]}}"#)),
        1 => event.prop_map(|event| serde_json::json!({ "body": event, "time": 1 }).to_string()),
        1 => prop::sample::select(vec!["", " ", "1", "x", "{}", "{\"a\":1}\r", "{\"a\":1} "]).prop_map(str::to_owned),
    ];
    let spoilt = prop::option::weighted(0.1, (any::<prop::sample::Index>(), any::<u8>()));
    (text, spoilt).prop_map(|(text, spoilt)| {
        let mut bytes = text.into_bytes();
        if let Some((place, byte)) = spoilt
            && !bytes.is_empty()
            && byte != b'\n'
        {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn a_parser_that_has_seen_other_lines_finds_what_a_new_one_finds(
        lines in prop::collection::vec(line(), 1..24),
        ends in prop::sample::select(vec![&b"\n"[..], b"\r\n"]),
    ) {
        let apart = found_apart(&lines, ends);
        let mut parser = parser();
        for _ in 0..3 {
            let together = found_together(&mut parser, &lines, ends);
            // The reject of a line in a block includes its carriage return.
            let strip = |found: &Found| {
                found.0.iter().map(|text| text.replace(", 13", "")).collect::<Vec<_>>()
            };
            prop_assert_eq!(strip(&apart), strip(&together));
        }
    }
}

#[test]
fn lines_after_one_that_is_not_utf8_are_read_as_ever() {
    let event = br#"{"messageId":"m","type":"track","userId":"u"}"#.to_vec();
    let lines =
        [event.clone(), b"\xff".to_vec(), event.clone(), b"{\"a\":\"\xc3\"}".to_vec(), event];
    let found = found_together(&mut parser(), &lines, b"\n");
    assert_eq!(found.0.len(), 5);
    assert_eq!(found.0.iter().filter(|text| text.contains("NotUtf8")).count(), 2);
    assert_eq!(found, found_apart(&lines, b"\n"));
}

#[test]
fn a_value_over_many_lines_does_not_teach_to_join_lines() {
    let pretty = b"{\n\"messageId\":\"m\",\n\"type\":\"track\",\n\"userId\":\"u\"\n}".to_vec();
    let mut parser = parser();
    let mut found = Found::default();
    let mut whole = Block::default();
    whole.fill_value(&pretty, 0, true);
    parser.read_block(&whole, &mut found);
    assert_eq!(found.0.len(), 1);
    let lines = [pretty.clone(), pretty];
    assert_eq!(found_together(&mut parser, &lines, b"\n").0.len(), 10);
}
