#!/bin/sh
# Builds the PKCS#11 module that counts and disturbs calls, tests/shim, in the current folder.
set -eu

CARGO_TARGET_DIR=$PWD/target cargo build --quiet --locked --manifest-path "$TOP/tests/shim/Cargo.toml"
cp target/debug/libshim.so libshim.so
rm -rf target
