#!/bin/sh
# Installs what the tests need, builds the peers once, runs every test. Arguments go to `cargo test`.
# Tests that mount media need root, and fail without: OFFICIANT_WITHOUT_MOUNTS=1 leaves them out, which is said at the end.
# So do those that start docker's engine, which needs more than root in some containers: OFFICIANT_WITHOUT_ENGINE=1.
# The last line counts the tests; the exit code is 0 only if at least one ran and none failed.
set -eu
cd "$(dirname "$0")/.."
. tests/peers/install.sh

sh tests/peers/prepare.sh
need_rust

# The offline binary as it is released, without feature `online`: a test reads its symbols.
cargo build --locked --quiet --bin officiant
mkdir -p target/peers/offline
cp "${CARGO_TARGET_DIR:-target}/debug/officiant" target/peers/offline/officiant

log=$(mktemp)
trap 'rm -f "$log" "$log.code"' EXIT
{
    code=0
    cargo test --locked --no-fail-fast --features online "$@" 2>&1 || code=$?
    echo "$code" >"$log.code"
} | tee "$log"

# "test result: ok. 12 passed; 0 failed; 0 ignored; ...", one line for each binary and for the docs.
counts=$(awk '/^test result: / { p += $4; f += $6; i += $8 } END { print p + 0, f + 0, i + 0 }' "$log")
# Each test that was left out for want of root or of an engine said so; to cargo it passed.
left_out=$(grep -c '^\*\*\* NOT RUN: ' "$log" || true)
if [ "$left_out" -gt 0 ]; then
    grep '^\*\*\* NOT RUN: ' "$log"
    printf '*** %s tests of media that fail, vanish, lie or lose power, or of the real engine, DID NOT RUN ***\n' "$left_out"
fi
# shellcheck disable=SC2086 # three words
set -- $counts
passed=$(($1 - left_out))
printf '%s passed, %s failed, %s skipped\n' "$passed" "$2" "$(($3 + left_out))"
[ "$passed" -gt 0 ] || exit 1
exit "$(cat "$log.code")"
