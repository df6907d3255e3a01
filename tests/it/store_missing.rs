//! A program built without support for object stores.

use crate::support::Workspace;

#[test]
fn a_url_is_refused_with_the_missing_feature() {
    let workspace = Workspace::new();
    workspace.run(["s3://bucket/logs/", "-oout"]).exits(2).says(
        "s3://bucket/logs/: this backtrail was built without object stores (--no-default-features)",
    );
    assert_eq!(workspace.list("out").len(), 0);
}
