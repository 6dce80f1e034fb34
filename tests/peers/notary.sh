#!/bin/sh
# Builds notary-server and notary-signer in the current folder, from Debian's source and Debian's Go.
set -eu
. "$TOP/tests/peers/install.sh"

need golang-go golang-github-docker-notary-dev golang-github-docker-distribution-dev notary
found=$(dpkg-query -W -f '${Version}' golang-github-docker-notary-dev)
[ "$found" = "$VERSION" ] || die "tests/peers/versions: notary=$VERSION, Debian has $found"

export GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0 GOFLAGS='' GOCACHE="$PWD/gocache"
for program in notary-server notary-signer; do
    go build -p 2 -trimpath -o "$program" "github.com/theupdateframework/notary/cmd/$program"
done
cp /usr/bin/notary notary
rm -rf gocache
