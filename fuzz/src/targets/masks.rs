//! The mask of excerpts: a known secret never survives it, wherever it stands.

use backtrail::mask;

/// Plants a secret in `data` at the place that its first byte names, and masks it.
///
/// # Panics
/// If the secret is shown, or a place that is hidden is none of the text.
pub fn target(data: &[u8]) {
    let [place, text @ ..] = data else { return };
    let text = String::from_utf8_lossy(text);
    let secret = "s3cr3t-Value_42";
    let mut at = usize::from(*place) % (text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (before, after) = text.split_at(at);
    for planted in [
        format!("{before}{secret}{after}"),
        format!(
            r#"{{"headers":{{"X-Api-Secret":"{secret}"}},"body":{}}}"#,
            serde_json::Value::from(&*text)
        ),
        format!("{before}\nAuthorization: Bearer {secret}\n{after}"),
    ] {
        let shown = mask::secrets(&planted, &[secret.as_bytes()]);
        assert!(!shown.contains(secret), "{planted:?} is shown as {shown:?}");
        for hidden in mask::places(&planted) {
            assert!(planted.get(hidden.clone()).is_some(), "{hidden:?} of {planted:?}");
        }
        let addresses = mask::addresses(&planted);
        assert!(addresses.len() <= planted.len() * 4 + 16, "{addresses:?}");
    }
    if text.contains(secret) {
        return;
    }
    // What a header holds is hidden without being known.
    let header = format!(
        r#"{{"headers":{{"x-api-secret":"{secret}"}},"n":{}}}"#,
        serde_json::Value::from(&*text)
    );
    let shown = mask::secrets(&header, &[]);
    assert!(!shown.contains(secret), "{header:?} is shown as {shown:?}");
}
