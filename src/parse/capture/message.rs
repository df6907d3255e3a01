//! HTTP messages in their wire format (RFC 9112).

use std::ops::Range;

/// Returns the range of the body in `message`.
///
/// A chunked body is joined in place. A message that has no head but begins with `{` or `[` is all
/// body.
///
/// # Errors
/// Returns what is wrong with the message, in words.
pub(in crate::parse) fn body(message: &mut [u8]) -> Result<Range<usize>, &'static str> {
    if message.trim_ascii_start().starts_with(b"{") || message.trim_ascii_start().starts_with(b"[")
    {
        return Ok(0..message.len());
    }
    let start =
        head_end(message).ok_or("expected a blank line after the headers of the message")?;
    let (head, body) = message.split_at_mut(start);
    let (mut chunked, mut length) = (false, None);
    each_header(head, "transfer-encoding", &mut |value| {
        chunked |= value.to_ascii_lowercase().ends_with(b"chunked");
    });
    each_header(head, "content-length", &mut |value| {
        length = std::str::from_utf8(value).ok().and_then(|value| value.parse::<usize>().ok());
    });
    // The chunks of a stored message may have been joined already.
    if chunked && !body.starts_with(b"{") && !body.starts_with(b"[") {
        let length = join_chunks(body).ok_or("the body's last chunk is missing")?;
        return Ok(start..start + length);
    }
    if length.is_some_and(|length| body.len() < length) {
        return Err("the body is shorter than its Content-Length: the capture was cut short");
    }
    Ok(start..message.len())
}

/// Returns the request target of `head`, such as `/webhook` of `POST /webhook HTTP/1.1`.
pub(in crate::parse) fn target(head: &[u8]) -> Option<&str> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)
}

/// Calls `see` with each value of the header `name`. The first line of a head is not a header.
pub(super) fn each_header(head: &[u8], name: &str, see: &mut dyn FnMut(&[u8])) {
    for line in head.split(|&byte| byte == b'\n').skip(1) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        if line[..colon].trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
            see(line[colon + 1..].trim_ascii());
        }
    }
}

/// Returns the end of the head, after the first empty line.
fn head_end(message: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(length) = memchr::memchr(b'\n', &message[start..]) {
        if message[start..start + length].trim_ascii().is_empty() {
            return Some(start + length + 1);
        }
        start += length + 1;
    }
    None
}

/// Joins the chunks of `body` in place and returns their total length, or `None` if one is cut
/// short.
fn join_chunks(body: &mut [u8]) -> Option<usize> {
    let (mut read, mut written) = (0, 0);
    loop {
        let line = read + memchr::memchr(b'\n', body.get(read..)?)?;
        let size = body[read..line].split(|&byte| byte == b';').next()?.trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if size == 0 {
            return Some(written);
        }
        let end = (line + 1).checked_add(size).filter(|&end| end <= body.len())?;
        body.copy_within(line + 1..end, written);
        written += size;
        read = end + 1 + usize::from(body.get(end) == Some(&b'\r'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(message: &str) -> Result<String, &'static str> {
        let mut bytes = message.as_bytes().to_vec();
        let range = body(&mut bytes)?;
        Ok(String::from_utf8(bytes[range].to_vec()).unwrap())
    }

    #[test]
    fn the_body_stands_after_the_first_empty_line() {
        assert_eq!(
            read("POST / HTTP/1.1\r\nHost: h\r\n\r\n{\"a\":\r\n\r\n1}").unwrap(),
            "{\"a\":\r\n\r\n1}"
        );
        assert_eq!(read("POST / HTTP/1.1\nHost: h\n\n[]").unwrap(), "[]");
        assert_eq!(read("GET / HTTP/1.1\r\n\r\n").unwrap(), "");
        assert_eq!(read(" {\"a\":1}").unwrap(), " {\"a\":1}");
        assert!(read("POST / HTTP/1.1\r\nHost: h").unwrap_err().contains("blank line"));
    }

    #[test]
    fn chunks_are_put_together() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n";
        let whole = format!("{head}4\r\n{{\"a\"\r\n3;x=y\r\n:1}}\r\n0\r\nTrailer: t\r\n\r\n");
        assert_eq!(read(&whole).unwrap(), "{\"a\":1}");
        assert_eq!(read(&format!("{head}{{\"a\":1}}")).unwrap(), "{\"a\":1}");
        for cut in ["", "4", "4\r\n{\"a", "4\r\n{\"a\"\r\n", "ffffffffffffffff\r\n{", "-1\r\n{"] {
            assert!(read(&format!("{head}{cut}")).unwrap_err().contains("chunk"), "{cut}");
        }
    }

    #[test]
    fn a_body_that_was_cut_short_is_told() {
        let head = "POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n";
        assert_eq!(read(&format!("{head}{{\"a\":1}}")).unwrap(), "{\"a\":1}");
        assert!(read(&format!("{head}{{\"a\"")).unwrap_err().contains("cut short"));
    }

    #[test]
    fn headers_and_the_target_are_found_in_the_head() {
        let head = b"POST /webhook/k?x=1 HTTP/1.1\r\nX-Api-Secret:  s:1 \r\nno header\r\n";
        let mut found = Vec::new();
        each_header(head, "x-api-secret", &mut |value| found.push(value.to_vec()));
        assert_eq!(found, [b"s:1"]);
        assert_eq!(target(head), Some("/webhook/k?x=1"));
        assert_eq!(target(b"nothing"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(head in "[ -~\r\n]{0,60}", tail in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut message = [format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{head}").as_bytes(), &tail].concat();
            if let Ok(range) = body(&mut message) {
                prop_assert!(range.end <= message.len());
            }
            let mut bytes = tail;
            let _ = (body(&mut bytes), target(&bytes));
        }
    }
}
