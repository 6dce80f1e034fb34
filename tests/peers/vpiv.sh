#!/bin/sh
# Builds the virtual YubiKey, tests/vpiv, in the current folder.
set -eu
. "$TOP/tests/peers/install.sh"

# The file system of its storage is C code, whose bindings are made by libclang.
need libclang-dev
CARGO_TARGET_DIR=$PWD/target cargo build --quiet --locked --manifest-path "$TOP/tests/vpiv/Cargo.toml"
cp target/debug/vpiv vpiv
rm -rf target
