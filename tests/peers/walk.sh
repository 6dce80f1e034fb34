#!/bin/sh
# Builds tests/peers/walk, which walks roots with Notary's own client and server, in the current folder.
set -eu
. "$TOP/tests/peers/install.sh"

need golang-go golang-github-docker-notary-dev golang-github-docker-distribution-dev
export GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0 GOFLAGS='' GOCACHE="$PWD/gocache"
go build -p 2 -trimpath -o walk "$TOP/tests/peers/walk/main.go"
rm -rf gocache
