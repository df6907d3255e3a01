//! Events in containers: compressed files, archives, and archives in archives.

use std::io::Write;

use rawzip::{CompressionMethod, ZipArchiveWriter};

use crate::support::{Workspace, assert_ledger_holds, gzip, track};

/// Three events: `prefix`1 to `prefix`3.
fn events(prefix: &str) -> Vec<u8> {
    (1..=3).map(|number| track(&format!("{prefix}{number}"))).collect::<String>().into_bytes()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Returns a zip archive in which every other member is deflated. Sizes follow the contents, as in
/// a stream.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (place, (name, bytes)) in members.iter().enumerate() {
        let deflated = place % 2 == 1;
        let method = [CompressionMethod::STORE, CompressionMethod::DEFLATE][usize::from(deflated)];
        let builder = archive.new_file(*name).compression_method(method);
        let (mut entry, config) = builder.start().unwrap();
        let output = if deflated {
            let encoder =
                flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
            let mut writer = config.wrap(encoder);
            writer.write_all(bytes).unwrap();
            let (encoder, output) = writer.finish().unwrap();
            encoder.finish().unwrap();
            output
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(output).unwrap();
    }
    archive.finish().unwrap()
}

/// Returns a zip archive with one stored member and its sizes in the local header, in 64 bits if
/// `wide`.
fn zip_by_hand(name: &str, bytes: &[u8], wide: bool) -> Vec<u8> {
    let (crc, size) = (crc32fast::hash(bytes), u32::try_from(bytes.len()).unwrap());
    let stated = if wide { u32::MAX } else { size };
    let long = u64::from(size).to_le_bytes();
    let extra = if wide { [&[1, 0, 16, 0][..], &long, &long].concat() } else { Vec::new() };
    let common = |out: &mut Vec<u8>| {
        out.extend([45, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        out.extend([crc, stated, stated].iter().flat_map(|field| field.to_le_bytes()));
        let lengths = [name.len(), extra.len()].map(|length| u16::try_from(length).unwrap());
        out.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
    };
    let mut out = b"PK\x03\x04".to_vec();
    common(&mut out);
    out.extend([name.as_bytes(), &extra, bytes].concat());
    let directory = u32::try_from(out.len()).unwrap();
    out.extend(b"PK\x01\x02\x2d\x00");
    common(&mut out);
    out.extend([0; 14]);
    out.extend([name.as_bytes(), &extra].concat());
    let length = u32::try_from(out.len()).unwrap() - directory;
    out.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    out.extend([length.to_le_bytes(), directory.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

fn utf16(bytes: &[u8]) -> Vec<u8> {
    let text = format!("\u{feff}{}", str::from_utf8(bytes).unwrap());
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Returns the message ids of the signals in `out`, in order.
fn ids(workspace: &Workspace, out: &str) -> Vec<String> {
    let rows = workspace.rows(&format!("{out}/signals.csv"));
    rows.into_iter().map(|row| row["message_id"].clone()).collect()
}

/// Returns the names and record counts of the inputs in the report.
fn inputs(workspace: &Workspace, out: &str) -> Vec<(String, u64)> {
    let report = workspace.report(out);
    let inputs = report["inputs"].as_array().unwrap().iter();
    inputs
        .map(|input| (input["path"].as_str().unwrap().into(), input["records"].as_u64().unwrap()))
        .collect()
}

#[test]
fn the_same_events_in_any_container_give_the_same_tables() {
    let plain = events("m");
    let member: &[(&str, &[u8])] = &[("logs/e.ndjson", &plain)];
    let halves: Vec<Vec<u8>> = [&plain[..200], &plain[200..]].map(<[u8]>::to_vec).into();
    let in_two = |pack: fn(&[u8]) -> Vec<u8>| [pack(&halves[0]), pack(&halves[1])].concat();
    let forms = [
        ("gzip", gzip(&plain)),
        ("gzip, two members", in_two(gzip)),
        ("gzip in gzip", gzip(&gzip(&plain))),
        ("zstd", zstd(&plain)),
        ("bzip2", bzip2(&plain)),
        ("bzip2, two streams", in_two(bzip2)),
        ("xz", xz(&plain)),
        ("xz, two streams", in_two(xz)),
        ("xz, padded", [xz(&plain), vec![0; 8]].concat()),
        ("tar", tar(member)),
        ("tar.gz", gzip(&tar(member))),
        ("tar.zst", zstd(&tar(member))),
        ("tar.xz", xz(&tar(member))),
        ("tar.bz2", bzip2(&tar(member))),
        ("zip", zip(member)),
        ("zip in tar.gz", gzip(&tar(&[("e.zip", &zip(member))]))),
        ("gzip in zip", zip(&[("e.ndjson.gz", &gzip(&plain))])),
        ("utf-16", utf16(&plain)),
        ("utf-16 in xz", xz(&utf16(&plain))),
    ];
    let workspace = Workspace::new();
    workspace.write("plain", &plain);
    workspace.run(["plain", "-o", "expected"]).exits(0);
    let tables = |out: &str| {
        ["signals.csv", "leads.csv"].map(|name| workspace.read(&format!("{out}/{name}")))
    };
    for (place, (form, bytes)) in forms.iter().enumerate() {
        let out = format!("out{place}");
        workspace.write("input", bytes);
        workspace.run(["input", "-o", &out]).exits(0);
        assert!(tables(&out) == tables("expected"), "{form}");
        assert_ledger_holds(&workspace, &out);
    }
}

#[test]
fn members_of_archives_are_separate_files() {
    let (one, two) = (events("a"), events("b"));
    let broken = [b"no json\n".as_slice(), &two].concat();
    let long = format!("{}two.ndjson", "long/".repeat(40));
    let members: &[(&str, &[u8])] = &[
        ("logs/", b""),
        ("logs/one.ndjson", &one),
        ("logs/.hidden.ndjson", &one),
        ("__MACOSX/logs/._one.ndjson", &one),
        (&long, &broken),
        ("empty.ndjson", b""),
    ];
    let bytes =
        [("e.tar", tar(members)), ("e.tar.gz", gzip(&tar(members))), ("e.zip", zip(&members[1..]))];
    for (name, bytes) in bytes {
        let workspace = Workspace::new();
        workspace.write(name, bytes);
        workspace.run([name, "-o", "out"]).exits(0);
        assert_ledger_holds(&workspace, "out");
        assert_eq!(ids(&workspace, "out"), ["a1", "a2", "a3", "b1", "b2", "b3"]);
        let expected = [
            (format!("{name}/logs/one.ndjson"), 3),
            (format!("{name}/{long}"), 4),
            (format!("{name}/empty.ndjson"), 0),
        ];
        assert_eq!(inputs(&workspace, "out"), expected);
        let rejects = workspace.rejects("out");
        assert_eq!(rejects[0]["file"], format!("{name}/{long}"));
        assert_eq!((&rejects[0]["line"], &rejects[0]["offset"]), (&1.into(), &0.into()));
    }
}

#[test]
fn many_archives_give_the_same_tables_on_any_number_of_threads() {
    let workspace = Workspace::new();
    for number in 0..6 {
        let parts: Vec<_> = (0..5).map(|part| events(&format!("{number}-{part}-"))).collect();
        let names: Vec<_> = (0..5).map(|part| format!("{part}.ndjson")).collect();
        let members: Vec<_> = names
            .iter()
            .zip(&parts)
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        let bytes = if number % 2 == 0 { zip(&members) } else { gzip(&tar(&members)) };
        workspace.write(&format!("in/{number}"), bytes);
    }
    workspace.run(["in", "-o", "one", "--threads", "1"]).exits(0);
    workspace.run(["in", "-o", "many", "--threads", "7"]).exits(0);
    assert_eq!(ids(&workspace, "one").len(), 90);
    assert!(workspace.read("one/signals.csv") == workspace.read("many/signals.csv"));
    assert_eq!(inputs(&workspace, "one"), inputs(&workspace, "many"));
}

#[test]
fn a_zip_archive_is_read_in_every_variant() {
    let plain = events("m");
    let written = [false, true].map(|wide| zip_by_hand("e.ndjson", &plain, wide));
    for bytes in written {
        let workspace = Workspace::new();
        workspace.write("e.zip", &bytes);
        workspace.run(["e.zip", "-o", "out"]).exits(0);
        assert_eq!(ids(&workspace, "out"), ["m1", "m2", "m3"]);
    }
}

#[test]
fn an_archive_that_is_read_is_no_output() {
    let plain = events("m");
    let members = [("e.ndjson", plain.as_slice())];
    let archives = [zip(&members), tar(&members), gzip(&tar(&members))];
    for (bytes, end) in archives.into_iter().zip(["zip", "tar", "tar.gz"]) {
        let workspace = Workspace::new();
        let named = format!("d/a.{end}");
        workspace.write(&named, &bytes);
        workspace.write("d/signals.csv", &bytes);
        workspace.write("allow.txt", "Ping\nidentify\n");
        for input in [named.as_str(), "d", "d/a.*"] {
            let audit = [input, "--allow", "allow.txt", "--html", &named];
            workspace.does("audit", &audit).exits(2).says("is also read as an input");
        }
        for input in ["d/signals.csv", "d", "d/s*"] {
            let run = [input, "-o", "d", "--overwrite"];
            workspace.run(run).exits(2).says("signals.csv: is also read as an input");
        }
        let left = [&named, "d/signals.csv"].map(|name| workspace.read(name) == bytes);
        assert_eq!((left, workspace.list("d").len()), ([true; 2], 2), "{end}");
    }
}

#[test]
fn a_zip_archive_in_a_pipe_is_read() {
    let workspace = Workspace::new();
    let mut command = workspace.command(["-", "-o", "out"]);
    command.stdin(std::process::Stdio::piped());
    let mut running = Workspace::start(command);
    let bytes = zip(&[("e.ndjson", &events("m"))]);
    running.child.stdin.take().unwrap().write_all(&bytes).unwrap();
    running.finish().exits(0);
    assert_eq!(inputs(&workspace, "out"), [("-/e.ndjson".into(), 3)]);
}

#[test]
fn encrypted_members_are_one_error_and_the_others_are_read() {
    let plain = events("m");
    let members: &[(&str, &[u8])] = &[("a", &plain), ("b", b"secret"), ("c", b"secret")];
    let mut bytes = zip(members);
    // Sets the encryption flag of the last two members in the local headers and in the directory.
    for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let places: Vec<_> = memchr::memmem::find_iter(&bytes, signature).skip(1).collect();
        for at in places {
            bytes[at + flags] |= 1;
        }
    }
    let workspace = Workspace::new();
    workspace.write("e.zip", bytes);
    let finished = workspace.run(["e.zip", "-o", "out"]).exits(2);
    let finished = finished.says("2 of the 3 members").says("encrypted").says("unzip");
    assert_eq!(finished.stderr.matches("encrypted").count(), 1, "{finished}");
    assert_eq!(ids(&workspace, "out"), ["m1", "m2", "m3"]);
    assert!(workspace.rejects("out").is_empty());
}

#[test]
fn members_that_overlap_are_refused() {
    let mut bytes = zip(&[("a", &events("m")), ("b", &events("n"))]);
    // Makes the second entry of the directory point to the first member.
    let second = memchr::memmem::find_iter(&bytes, b"PK\x01\x02").nth(1).unwrap();
    bytes[second + 42..second + 46].fill(0);
    let workspace = Workspace::new();
    workspace.write("e.zip", bytes);
    workspace.run(["e.zip", "-o", "out"]).exits(2).says("overlap");
}

#[test]
fn damage_in_an_archive_affects_what_follows_and_is_reported_with_its_position() {
    let long = (0..400).map(|number| track(&format!("m{number:03}"))).collect::<String>();
    let members: &[(&str, &[u8])] = &[("a", long.as_bytes()), ("b", long.as_bytes())];
    let archive = tar(members);
    for (name, bytes, least) in [
        ("cut.tar", archive[..archive.len() / 4].to_vec(), 100),
        (
            "cut.tar.gz",
            {
                let packed = gzip(&archive);
                packed[..packed.len() / 2].to_vec()
            },
            1,
        ),
        (
            "cut.bz2",
            {
                let packed = bzip2(long.repeat(40).as_bytes());
                packed[..packed.len() * 3 / 4].to_vec()
            },
            0,
        ),
        (
            "cut.xz",
            {
                let packed = xz(long.as_bytes());
                packed[..packed.len() - 20].to_vec()
            },
            0,
        ),
    ] {
        let workspace = Workspace::new();
        workspace.write(name, &bytes);
        workspace
            .run([name, "-o", "out", "--allow-empty"])
            .exits(2)
            .says("cut off")
            .says(": byte ")
            .says(name);
        assert_ledger_holds(&workspace, "out");
        assert!(ids(&workspace, "out").len() >= least, "{name}");
    }
    let mut soiled = zip(&[("a", &events("m")), ("b", &events("n"))]);
    let at = memchr::memmem::find(&soiled, b"anonymousId").unwrap();
    soiled[at + 20] ^= 1;
    let workspace = Workspace::new();
    workspace.write("e.zip", soiled);
    workspace.run(["e.zip", "-o", "out"]).exits(2).says("e.zip/a").says("checksum");
    assert_eq!(ids(&workspace, "out").len(), 6, "what was read before the fault counts");
}

#[test]
fn a_zip_archive_that_is_cut_off_gives_the_members_before_the_cut() {
    let long = (0..400).map(|number| track(&format!("m{number:03}"))).collect::<String>();
    // Every other member is deflated; sizes follow the contents.
    let streamed =
        zip(&[("z", b"{}"), ("a", long.as_bytes()), ("b", b"{}"), ("c", long.as_bytes())]);
    let streamed = streamed[deflated_member(&streamed)..].to_vec();
    let by_hand = zip_by_hand("a", long.as_bytes(), true);
    for (bytes, cut, least) in [
        (&by_hand, by_hand.len() - 30, 400),
        (&by_hand, by_hand.len() / 2, 150),
        (&streamed, 1500, 1),
        (&streamed, usize::MAX, 400),
    ] {
        let cut = cut.min(bytes.len() - 30);
        let workspace = Workspace::new();
        workspace.write("e.zip", &bytes[..cut]);
        let finished = workspace.run(["e.zip", "-o", "out"]).exits(2);
        finished.says("e.zip: byte ").says("cut off");
        assert_ledger_holds(&workspace, "out");
        assert!(ids(&workspace, "out").len() >= least, "cut at {cut}");
    }
}

/// Returns the offset of the second member of an archive.
fn deflated_member(archive: &[u8]) -> usize {
    memchr::memmem::find_iter(archive, b"PK\x03\x04").nth(1).unwrap()
}
