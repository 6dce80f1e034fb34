#!/bin/sh
# Makes ready what the tests run against: Debian's packages, and the peers, each built once into the
# cache and linked from target/peers/, where the tests look. Does nothing when all is there.
set -eu
cd "$(dirname "$0")/../.."
TOP=$PWD
export TOP
. tests/peers/install.sh

cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/officiant
mkdir -p "$cache" target/peers
# Several work trees share the cache: one prepares, the others wait.
exec 9>"$cache/.lock"
flock 9

pin() { sed -n "s/^$1=//p" tests/peers/versions; }

# The files' contents in sixteen letters.
digest() { cat "$@" | sha256sum | cut -c1-16; }

# peer NAME VERSION COMMAND...: runs the command in a new folder, which becomes the peer's only if it ends well.
peer() {
    name=$1 VERSION=$2
    export VERSION
    shift 2
    folder=$cache/$name-$VERSION
    if [ ! -d "$folder" ]; then
        say "building $name $VERSION"
        new=$(mktemp -d "$cache/.new.XXXXXX")
        (cd "$new" && "$@") >"$cache/$name.log" 2>&1 9>&- || {
            tail -n 40 "$cache/$name.log" >&2
            rm -rf "$new"
            die "cannot build $name $VERSION"
        }
        chmod 755 "$new"
        mv "$new" "$folder"
    fi
    ln -sfn "$folder" "target/peers/$name"
}

need softhsm2 openssl strace gcc libc6-dev util-linux python3 shellcheck
need_rust
peer notary "$(pin notary)" sh "$TOP/tests/peers/notary.sh"
peer docker "$(pin docker)" sh "$TOP/tests/peers/docker.sh"
peer python "$(digest tests/peers/python.txt)" sh "$TOP/tests/peers/python.sh"
