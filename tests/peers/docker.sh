#!/bin/sh
# Unpacks Debian's docker client in the current folder; no daemon, nothing is installed.
set -eu
. "$TOP/tests/peers/install.sh"

freshen_lists
apt-get -qq download docker.io
dpkg -x docker.io_*.deb unpacked
cp unpacked/usr/bin/docker docker
rm -rf unpacked docker.io_*.deb
found=$(./docker --version)
case $found in
    *" $VERSION"*) ;;
    *) die "tests/peers/versions: docker=$VERSION, Debian has: $found" ;;
esac
