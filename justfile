# What one types daily. Each recipe is one ordinary command; `just --list` shows them.

# The job on the sample data
run:
    cargo run -- run testdata/trailco/events --rules testdata/trailco/rules.toml -o out --overwrite

# All tests
test:
    cargo test

# The tests whose names contain FILTER
test-some FILTER:
    cargo test --test it {{FILTER}}

# Format, lints and documentation
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

# All that must hold before a change lands
ci:
    .ci/run

# The stages of the engine, one by one
bench:
    cargo bench --bench stages

# The whole job beside DuckDB's, on the same events in the same run
compare:
    benches/compare/run

# Accept changed snapshots (cargo install cargo-insta)
snapshots:
    cargo insta review

# A history of a million events
generate:
    cargo run --release --example generate -- --events 1000000 --out target/events.ndjson
