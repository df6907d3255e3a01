//! Texts of FQL: they compile or say where they do not, and what compiles can be evaluated.

use backtrail::event::{Event, Members};
use backtrail::fql::Expr;
use backtrail::json::document::Document;

/// Events that expressions are evaluated on.
pub const EVENTS: [&str; 3] = [
    r#"{"type":"track","event":"Signed Up","messageId":"m","userId":"u","properties":{"plan":"pro","seats":60,"items":[{"sku":"a"},2,null],"a b":true,"price":1.5},"context":{"page":{"url":"https://acme.example/"}}}"#,
    r#"{"type":"page","name":"Home","messageId":"m","anonymousId":"a","traits":{"email":"ana@acme.example"}}"#,
    "{}",
];

/// Compiles `data` and evaluates it.
///
/// # Panics
/// If an error stands outside of the text, or what is said of the expression does not hold.
pub fn target(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let compiled = match Expr::compile(source) {
        Ok(compiled) => compiled,
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(source.get(error.span.start..).is_some(), "{error:?} of {source:?}");
            }
            return;
        }
    };
    let expr = compiled.expr;
    for warning in compiled.warnings {
        assert!(source.get(warning.span.start..).is_some(), "{warning:?} of {source:?}");
    }
    for text in EVENTS {
        Document::default().read(text.as_bytes(), |json| {
            let json = json.unwrap();
            let members = Members::of(json);
            let holds = expr.holds(&Event::new(json, &members));
            assert!(expr.constant().is_none_or(|always| always == holds), "{source:?} on {text}");
            assert!(!(holds && expr.takes_nothing()), "{source:?} on {text}");
            assert!(!expr.is_all() || holds, "{source:?} on {text}");
        });
    }
}
