#!/bin/sh
# Tries Officiant on this machine, on soft tokens: `sh ceremonies/try.sh`, on a fresh Debian 12 too.
# Installs what is missing, by Debian's packages, and says so; all else stays below target/.
set -eu
cd "$(dirname "$0")/.."
. tests/peers/install.sh

# Brings what the ceremonies run on: SoftHSM, openssl for the online keys, and a Rust as new as Cargo.toml asks for.
prepare() {
    need softhsm2 openssl
    need_rust
}

# Builds the offline binary and sets `officiant` to its path.
build() {
    say "building officiant"
    cargo build --locked --quiet --bin officiant
    officiant=${CARGO_TARGET_DIR:-$PWD/target}/debug/officiant
}

# Genesis and rotation, with keys on tokens and with a key in shares.
hold() {
    held=$PWD/target/try
    rm -rf "$held"
    mkdir -p "$held"
    say "keys on tokens: a genesis, and a rotation to a token and shares"
    sh ceremonies/run.sh "$officiant" "$held/tokens" 2026-example-genesis-tokens 2027-example-rotate
    say "a key in shares: a genesis, and a rotation to other shares"
    sh ceremonies/run.sh "$officiant" "$held/shares" 2026-example-genesis-shares 2027-example-rotate-shares
}

# Anyone can verify what a ceremony left.
verify() {
    tokens=$held/tokens/2-2027-example-rotate
    shares=$held/shares/2-2027-example-rotate-shares
    for left in "$tokens" "$shares"; do
        say "verifying $left/media/out-1/trust"
        "$officiant" verify "$left/media/out-1" >"$left/verified.txt"
    done
}

prepare
build
hold
verify
cat <<END

Four ceremonies were held on soft tokens, and every root that they signed was verified:
1. keys on tokens, 2 of 3 sign;     2. a rotation: one key stays, one is new, one is in shares, 3 of 5;
3. one key in shares, 3 of 5;       4. a rotation to another key in shares, 2 of 3.
Each folder in $held holds one of them; look first at
  $tokens
    plan.toml, screen.txt           what was to be done, and what stood on the screen
    media/out-1/trust               what goes out: custody.json, metadata/, ceremonies/ with report.html
    verified.txt                    what \`officiant verify\` proved of it, and what it did not
  ceremonies/*/README.md            what each ceremony is
END
