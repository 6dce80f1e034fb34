#!/bin/sh
# Builds age-plugin-yubikey, by which `age` opens what is sealed to a YubiKey, in the current folder.
set -eu
. "$TOP/tests/peers/install.sh"

need libpcsclite-dev pkg-config
CARGO_TARGET_DIR=$PWD/target cargo install --quiet --locked age-plugin-yubikey --version "$VERSION" --root .
rm -rf target
