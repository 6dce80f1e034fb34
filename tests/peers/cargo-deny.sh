#!/bin/sh
# Builds cargo-deny in the current folder; it checks licences, sources and duplicates (.deny.toml).
set -eu

CARGO_TARGET_DIR=$PWD/target cargo install --quiet --locked cargo-deny --version "$VERSION" --root .
rm -rf target
