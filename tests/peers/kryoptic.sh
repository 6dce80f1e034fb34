#!/bin/sh
# Builds kryoptic, a PKCS#11 module whose tokens lock their PIN, with tests/kryoptic in the current folder.
set -eu
. "$TOP/tests/peers/install.sh"

# Its bindings to Debian's OpenSSL are made by libclang; its tokens are SQLite's.
need libclang-dev libsqlite3-dev libssl-dev
CARGO_TARGET_DIR=$PWD/target cargo build --quiet --locked --manifest-path "$TOP/tests/kryoptic/Cargo.toml"
cp target/debug/libkryoptic.so libkryoptic.so
rm -rf target
