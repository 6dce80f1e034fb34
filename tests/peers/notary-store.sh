#!/bin/sh
# Builds a notary-server whose store outlives it, in the current folder: Debian's source with SQLite linked in, and an
# empty database with the tables that such a server expects.
set -eu
. "$TOP/tests/peers/install.sh"

need golang-go golang-github-docker-notary-dev golang-github-docker-distribution-dev golang-github-mattn-go-sqlite3-dev \
    libsqlite3-dev gcc libc6-dev sqlite3
found=$(dpkg-query -W -f '${Version}' golang-github-docker-notary-dev)
pinned=${VERSION%-*}
[ "$found" = "$pinned" ] || die "tests/peers/versions: notary=$pinned, Debian has $found"

package=github.com/theupdateframework/notary/cmd/notary-server
printf 'package main\n\nimport _ "github.com/mattn/go-sqlite3"\n' >sqlite.go
printf '{"Replace": {"/usr/share/gocode/src/%s/sqlite.go": "%s/sqlite.go"}}\n' $package "$PWD" >overlay.json
export GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=1 GOFLAGS='' GOCACHE="$PWD/gocache"
go build -p 2 -trimpath -tags libsqlite3 -overlay overlay.json -o notary-server $package
rm -rf gocache

sqlite3 empty.db <<'SQL'
CREATE TABLE tuf_files (id INTEGER PRIMARY KEY AUTOINCREMENT, created_at DATETIME, updated_at DATETIME,
    deleted_at DATETIME, gun VARCHAR(255) NOT NULL, role VARCHAR(255) NOT NULL, version INTEGER NOT NULL,
    sha256 VARCHAR(64), data LONGBLOB NOT NULL);
CREATE UNIQUE INDEX idx_gun ON tuf_files (gun, role, version);
CREATE INDEX idx_sha256 ON tuf_files (sha256);
CREATE TABLE changefeed (id INTEGER PRIMARY KEY AUTOINCREMENT, created_at DATETIME, gun VARCHAR(255) NOT NULL,
    version INTEGER NOT NULL, sha256 VARCHAR(64), category VARCHAR(20) NOT NULL);
SQL
