#!/bin/sh
# Builds kryoptic, a PKCS#11 module whose tokens lock their PIN, with tests/kryoptic in the current folder.
set -eu
. "$TOP/tests/peers/install.sh"

# It brings OpenSSL, which is made by perl and make; the bindings to it are made by libclang. Some minutes.
need libclang-dev make perl
CARGO_TARGET_DIR=$PWD/target cargo build --quiet --locked --manifest-path "$TOP/tests/kryoptic/Cargo.toml"
cp target/debug/libkryoptic.so libkryoptic.so
rm -rf target
