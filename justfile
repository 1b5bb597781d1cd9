# The five things people do.

run *args:
    cargo run --release -- {{args}}

test:
    cargo test

check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

bench:
    cargo bench

ci:
    .ci/run
