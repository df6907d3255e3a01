use super::*;
use crate::json::document::with_json as with;

fn auth(api_secret: &str, api_key: &str, signing_secret: &str) -> Auth {
    let [api_secret, api_key, signing_secret] =
        [api_secret, api_key, signing_secret].map(Secret::new);
    Auth { api_secret, api_key, signing_secret }
}

fn outcome(result: Result<(), Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.reason.name(), |()| "fine")
}

#[test]
fn every_secret_of_a_delivery_must_be_right() {
    let auth = auth("s3cret", "", "");
    for (head, expected) in [
        ("X-API-SECRET: s3cret", "fine"),
        ("x-api-secret:s3cret \r\nX-Api-Secret: s3cret", "fine"),
        ("x-api-secret: s3cret\r\nX-Api-Secret: other", "unauthorized"),
        ("X-Api-Secret: s3cre", "unauthorized"),
        ("X-Api-Secret: S3CRET", "unauthorized"),
        ("X-Api-Secret:", "unauthorized"),
        ("X-Api-Secret2: s3cret", "unauthorized"),
    ] {
        let head = format!("POST / HTTP/1.1\r\n{head}\r\n");
        let headers = Headers::Text(head.as_bytes());
        assert_eq!(outcome(auth.admit(&headers, None)), expected, "{head}");
    }
    assert_eq!(outcome(auth.admit(&Headers::NONE, None)), "unauthorized");
    assert_eq!(outcome(Auth::default().admit(&Headers::NONE, None)), "fine");
}

#[test]
fn the_key_stands_where_trailspark_puts_it() {
    let auth = auth("", "k-1", "");
    for (path, expected) in [
        ("/webhook/k-1", "fine"),
        ("https://in.example/token/webhook/k-1?x=/webhook/k-2", "fine"),
        ("/webhook/segment/k-1/", "fine"),
        ("/v1/webhook/k-1/batch#top", "fine"),
        ("bulk/k-1", "fine"),
        ("/webhook/k-2", "unauthorized"),
        ("/webhook/k-2?k=/webhook/k-1", "unauthorized"),
        ("/webhook/K-1", "unauthorized"),
        ("/k-1", "unauthorized"),
        ("k-1", "unauthorized"),
        ("/webhook//k-1", "unauthorized"),
        ("/webhook/a/b/k-1", "unauthorized"),
        ("/bulk/k-1/batch", "unauthorized"),
        ("/webhook/k-1/bulk", "unauthorized"),
        ("", "unauthorized"),
    ] {
        assert_eq!(outcome(auth.admit(&Headers::NONE, Some(path))), expected, "{path}");
    }
    assert_eq!(outcome(auth.admit(&Headers::NONE, None)), "unauthorized");
}

/// RFC 2202, test case 2.
const JEFE: (&str, &str, &str) =
    ("Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");

fn sign(secret: &str, text: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap().chain_update(text);
    mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn verified(secret: &str, signature: &str, signed: Signed<'_>) -> &'static str {
    let head = format!("POST / HTTP/1.1\r\nx-signature: {signature}\r\n");
    let headers = Headers::Text(head.as_bytes());
    outcome(auth("", "", secret).verify(&headers, signed, &mut Vec::new()))
}

#[test]
fn a_signature_is_the_hmac_of_the_very_bytes() {
    let (secret, text, signature) = JEFE;
    let text = text.as_bytes();
    assert_eq!(verified(secret, signature, Signed::Text(text)), "fine");
    assert_eq!(verified(secret, &signature.to_uppercase(), Signed::Text(text)), "fine");
    for wrong in
        ["", "00", &signature[1..], &format!("{signature}00"), &signature.replace('e', "g")]
    {
        assert_eq!(verified(secret, wrong, Signed::Text(text)), "bad_signature", "{wrong}");
    }
    assert_eq!(verified("jefe", signature, Signed::Text(text)), "bad_signature");
    assert_eq!(verified(secret, signature, Signed::Text(&text[1..])), "bad_signature");
    let missing = auth("", "", secret).verify(&Headers::NONE, Signed::Text(text), &mut Vec::new());
    assert!(missing.unwrap_err().detail.contains("found none"));
}

#[test]
fn of_a_batch_the_first_element_may_be_signed() {
    let first = sign("s", r#"{"a":1}"#);
    for body in [r#"[{"a":1},{"b":2}]"#, r#"{"batch":[{"a":1},{"b":2}]}"#] {
        assert_eq!(verified("s", &first, Signed::Text(body.as_bytes())), "fine", "{body}");
        assert_eq!(verified("s", &sign("s", body), Signed::Text(body.as_bytes())), "fine");
        with(body, |value| assert_eq!(verified("s", &first, Signed::Value(value)), "fine"));
        let second = sign("s", r#"{"b":2}"#);
        assert_eq!(verified("s", &second, Signed::Text(body.as_bytes())), "bad_signature");
    }
    let spaced = r#"[{"a": 1}]"#;
    assert_eq!(verified("s", &first, Signed::Text(spaced.as_bytes())), "bad_signature");
}

#[test]
fn a_parsed_body_is_verified_as_javascript_would_write_it() {
    let signature =
        sign("s", "{\"b\":[1,1.5,1e+21,-0.001],\"a\":\"é\\n/\u{2028}\",\"c\":[{},[],null,true]}");
    let body = "{ \"b\": [1.0, 1.50, 1e21, -1E-3],\n \"a\": \"\\u00e9\\u000A\\/\u{2028}\", \"c\": [{}, [], null, true] }";
    with(body, |value| assert_eq!(verified("s", &signature, Signed::Value(value)), "fine"));
    with("{\"b\":2}", |value| {
        assert_eq!(verified("s", &signature, Signed::Value(value)), "bad_signature");
    });
}

#[test]
fn a_secret_is_never_shown() {
    let auth = auth("s3cret", "s3cret", "s3cret");
    assert!(!format!("{auth:?}").contains("s3cret"));
    assert!(Secret::new("").is_none());
    assert_eq!(auth.secrets().count(), 3);
}
