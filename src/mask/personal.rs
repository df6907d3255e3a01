//! Detection of personal data: e-mail addresses, IP addresses, phone numbers, and the names of
//! fields that hold such data.
//!
//! Names of people look like any other word, so only their field identifies them.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::address;
use super::text::replaced;

/// The number of digits of a phone number (at most 15, ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// The plus sign before an international phone number, also percent-encoded.
const PLUS: [&str; 3] = ["+", "%2B", "%2b"];

/// Names of fields with personal data, in lower case and without separators.
const FIELDS: [&str; 16] = [
    "fname",
    "lname",
    "givenname",
    "familyname",
    "surname",
    "tel",
    "telephone",
    "mobile",
    "ip",
    "dob",
    "birthday",
    "birthdate",
    "dateofbirth",
    "street",
    "postaladdress",
    "avatar",
];
/// Endings of further names of fields with personal data.
const ENDINGS: [&str; 9] = [
    "firstname",
    "lastname",
    "fullname",
    "username",
    "phone",
    "phonenumber",
    "mobilenumber",
    "ipaddress",
    "streetaddress",
];
/// Names of fields that hold personal data only inside a person's object.
const WITHIN_A_PERSON: [&str; 2] = ["name", "address"];
/// Members that hold a person's data.
const PEOPLE: [&str; 6] = ["traits", "user", "contact", "person", "customer", "lead"];

/// Replaces each e-mail address, IP address and international phone number in `text` by `***`.
pub fn personal(text: &str) -> Cow<'_, str> {
    let mut found = address::places(text);
    found.extend(ip_addresses(text));
    found.extend(phone_numbers(text));
    if found.is_empty() { Cow::Borrowed(text) } else { replaced(text, found).into() }
}

/// Returns `true` if a field at the path `names`, outermost first, holds personal data.
pub fn is_personal_path<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let mut names: Vec<String> = names.map(plain).collect();
    let Some(last) = names.pop() else { return false };
    let in_person = names.iter().any(|name| PEOPLE.contains(&name.as_str()));
    is_personal(&last) || (in_person && WITHIN_A_PERSON.contains(&last.as_str()))
}

/// Returns `true` if the URL parameter `name` holds personal data.
pub fn is_personal_parameter(name: &str) -> bool {
    let name = plain(name);
    is_personal(&name) || WITHIN_A_PERSON.contains(&name.as_str())
}

fn is_personal(name: &str) -> bool {
    FIELDS.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Returns `name` in lower case and without separators.
fn plain(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn ip_addresses(text: &str) -> Vec<Range<usize>> {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b'.' || byte == b':';
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if !is_part(bytes[at]) {
            at += 1;
            continue;
        }
        let run = bytes[at..].iter().take_while(|&&byte| is_part(byte)).count();
        let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        if !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_word(bytes.get(at + run))
            && let Some(len) = ip_len(&text[at..at + run])
        {
            found.push(at..at + len);
        }
        at += run;
    }
    found
}

/// Returns the length of the IP address that `text` begins with. `text` has only characters of IP
/// addresses.
fn ip_len(text: &str) -> Option<usize> {
    let whole = text.trim_end_matches(['.', ':']);
    let six = whole.matches(':').count() > 1 && whole.bytes().any(|byte| byte != b':');
    // An IPv4 address may have a port after a colon.
    let four = whole.split(':').next().unwrap_or(whole);
    if six && whole.parse::<Ipv6Addr>().is_ok() {
        Some(whole.len())
    } else {
        four.parse::<Ipv4Addr>().is_ok().then_some(four.len())
    }
}

fn phone_numbers(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for plus in PLUS {
        for (at, _) in text.match_indices(plus) {
            let start = at + plus.len();
            if let Some(len) = phone_len(&text[start..]) {
                found.push(at..start + len);
            }
        }
    }
    found
}

/// Returns the length of the phone number that `text` begins with, separators included.
fn phone_len(text: &str) -> Option<usize> {
    let (mut digits, mut len, mut at) = (0, 0, 0);
    while let Some(char) = text[at..].chars().next() {
        if char.is_ascii_digit() {
            digits += 1;
            len = at + 1;
        } else if text[at..].starts_with("%20") {
            at += 2;
        } else if !" ().-/\u{a0}".contains(char) {
            break;
        }
        at += char.len_utf8();
    }
    PHONE_DIGITS.contains(&digits).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_tells_who_or_where_is_hidden() {
        for (text, shown) in [
            ("by ana.r+x@acme.example, now", "by ***, now"),
            ("/a?e=ana%40acme.example&b=1", "/a?e=***&b=1"),
            ("http://203.0.113.9:8080/x", "http://***:8080/x"),
            ("[2001:db8::7]:443", "[***]:443"),
            ("ip=203.0.113.9.", "ip=***."),
            ("::ffff:203.0.113.9", "***"),
            ("call +49 (30) 555-0100!", "call ***!"),
            ("/a?p=%2B49%2030%205550100&x=1", "/a?p=***&x=1"),
            ("tel:+15550100999", "tel:***"),
        ] {
            assert_eq!(personal(text), shown, "{text}");
        }
    }

    #[test]
    fn what_only_looks_alike_stays() {
        for text in [
            "2025-06-26T14:10:25.372Z",
            "2025-06-26T14:10:25+02:00",
            "v1.2.3 and 1.2.3.4.5 and 300.1.1.1",
            "Cart::Added",
            "std::fmt",
            "::",
            "a+b=12",
            "1234567890",
            "@handle",
            "+1 2 3",
        ] {
            assert_eq!(personal(text), text);
        }
    }

    #[test]
    fn fields_of_people_are_known_by_name() {
        let is = |path: &str| is_personal_path(path.split('.'));
        for path in [
            "context.ip",
            "traits.name",
            "context.traits.firstName",
            "properties.last_name",
            "properties.contact_phone",
            "properties.contact.name",
            "traits.address",
        ] {
            assert!(is(path), "{path}");
        }
        for path in
            ["properties.name", "context.page.url", "traits.plan", "properties.trip", "traits"]
        {
            assert!(!is(path), "{path}");
        }
        assert!(is_personal_parameter("Name") && is_personal_parameter("first-name"));
        assert!(!is_personal_parameter("utm_source") && !is_personal_parameter("filename_id"));
    }

    proptest! {
        #[test]
        fn no_address_survives(text in "[a-z0-9@.:+%é ]{0,60}", a in any::<u32>(), b in any::<u128>()) {
            let (four, six) = (Ipv4Addr::from(a).to_string(), Ipv6Addr::from(b).to_string());
            let masked = personal(&format!("{text} {four} ({six})")).into_owned();
            let in_brackets = format!("({six})");
            prop_assert!(!masked.contains(&four), "{}", masked);
            prop_assert!(six == "::" || !masked.contains(&in_brackets), "{}", masked);
        }
    }
}
