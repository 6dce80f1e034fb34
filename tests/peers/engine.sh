#!/bin/sh
# Unpacks Debian's docker engine with what it runs on, Debian's registry, and busybox, of which the tests make images,
# in the current folder; nothing is installed but libraries.
set -eu
. "$TOP/tests/peers/install.sh"

need libdevmapper1.02.1 libseccomp2 libsystemd0
freshen_lists
apt-get -qq download busybox-static containerd docker-registry docker.io runc
for package in *.deb; do
    dpkg -x "$package" unpacked
done
# The shim is the one that this engine starts by default; `docker` itself is a peer of its own.
cp unpacked/usr/sbin/dockerd unpacked/usr/bin/containerd unpacked/usr/bin/containerd-shim-runc-v2 \
    unpacked/usr/sbin/runc unpacked/usr/bin/docker-registry unpacked/bin/busybox .
rm -rf unpacked ./*.deb
found=$(./dockerd --version)
case $found in
    *" $VERSION"*) ;;
    *) die "tests/peers/versions: engine=$VERSION, Debian has: $found" ;;
esac
