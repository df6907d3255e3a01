//! Compressed files and archives: what is compressed is read back, and of a damaged stream, the
//! beginning is.

use std::io::Write;

use flate2::Compression;

use super::reading;

/// The most bytes by which a codec is told.
const MAGIC: usize = 6;

/// Compresses lines by the codec that the first byte of `data` names, damages the stream at the
/// place that the next two name, and reads it.
///
/// # Panics
/// If a whole stream does not give what was compressed, or a damaged one gives anything beside.
pub fn target(data: &[u8]) {
    let [codec, high, low, flip, text @ ..] = data else { return };
    // Whatever a text begins with is told by its first bytes, so these are always of an event.
    let event = br#"{"type":"page","messageId":"m","userId":"u"}"#;
    let text = [&event[..], b"\n", text].concat();
    let mut stream = compressed(*codec, &text);
    let plain = reading::file(&text, 1 << 20);
    if *flip == 0 {
        assert_eq!(reading::file(&stream, 1 << 20), plain, "codec {}", codec % 5);
        return;
    }
    // Without its first bytes it is no stream.
    let at = MAGIC + usize::from(u16::from_be_bytes([*high, *low])) % (stream.len() - MAGIC);
    stream[at] ^= flip;
    let (found, faults) = reading::file(&stream, 1 << 20);
    let (found, plain) = (found.records, plain.0.records);
    let same = found.iter().zip(&plain).take_while(|(found, plain)| found == plain).count();
    // The last line may be cut, and checksums may be all that was damaged.
    assert!(found.len() <= same + 1 || !faults.is_empty(), "{found:?} of {plain:?}: {faults:?}");
    // Both halves of a stream that is cut are read, and neither panics.
    reading::file(&stream[..at], 64);
}

/// `text` as gzip, zstd, xz, bzip2 or a zip archive.
fn compressed(codec: u8, text: &[u8]) -> Vec<u8> {
    match codec % 5 {
        0 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        1 => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        2 => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        3 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        _ => zipped(text),
    }
}

/// A zip archive with `text` as its only file.
fn zipped(text: &[u8]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    let method = rawzip::CompressionMethod::DEFLATE;
    let (mut entry, config) =
        archive.new_file("events.ndjson").compression_method(method).start().unwrap();
    let deflated = flate2::write::DeflateEncoder::new(&mut entry, Compression::fast());
    let mut writer = config.wrap(deflated);
    writer.write_all(text).unwrap();
    let (deflated, sums) = writer.finish().unwrap();
    deflated.finish().unwrap();
    entry.finish(sums).unwrap();
    archive.finish().unwrap()
}
