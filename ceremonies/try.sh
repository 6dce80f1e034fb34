#!/bin/sh
# Tries Officiant on this machine, on soft tokens: `sh ceremonies/try.sh`, on a fresh Debian 12 too.
# Installs what is missing, by Debian's packages, and says so; all else stays below target/.
set -eu
cd "$(dirname "$0")/.."
. tests/peers/install.sh

# Brings what the ceremonies run on: SoftHSM, and a Rust as new as Cargo.toml asks for.
prepare() {
    need softhsm2
    need_rust
}

# Builds the offline binary and sets `officiant` to its path.
build() {
    say "building officiant"
    cargo build --locked --quiet --bin officiant
    officiant=${CARGO_TARGET_DIR:-$PWD/target}/debug/officiant
}

prepare
build
say "$officiant is built"
