#!/bin/sh
# How long `courier status`, `fetch` and `verify` take, each against its measure, turn by turn in one run:
# the bare HTTP requests by curl with the same concurrency, and `notary lookup` on the same server. Run by the suite
# (tests/bench/run.sh), which reads what it prints; COURIER names the program to measure.
#
#   COURIER=… sh tests/bench/consumer.sh REPOSITORIES ROUNDS LOOKUPS
set -eu
cd "$(dirname "$0")/../.."
: "${COURIER:?}"
repositories=$1 rounds=$2 lookups=$3 jobs=8
. tests/bench/server.sh

# --- the repositories: one root key, as in a team; server-held snapshot keys, as docker makes them
for role in ROOT TARGETS SNAPSHOT DELEGATION; do export "NOTARY_${role}_PASSPHRASE=correct horse"; done
export HOME="$work" DOCKER_CONFIG="$work/docker" DOCKER_CONTENT_TRUST_SERVER="$url"
unset DOCKER_CONTENT_TRUST NOTARY_AUTH
mkdir -p "docker/tls/localhost:$port" docker/trust
cp ca.crt "docker/tls/localhost:$port/ca.crt"
notary() { "$peers/notary" --server "$url" --tlscacert ca.crt --trustDir "$@"; }
name() { printf 'localhost:5000/fleet/service-%04d' "$1"; }
mkdir root
for number in $(seq "$repositories"); do
    # A trust folder for each: notary reads every key of the one that it has.
    mkdir -p one/private
    [ "$number" = 1 ] || cp root/*.key one/private/
    gun=$(name "$number")
    {
        notary one init -p "$gun"
        # One after the other: the server without a signer ends when two keys are made at once.
        notary one key rotate "$gun" snapshot -r
        [ "$number" != 1 ] || notary one addhash -p "$gun" 1.0 528 --sha256 "$(printf %064d 7)"
    } >made.log 2>&1 || { cat made.log; exit 1; }
    [ "$number" != 1 ] || cp "$(grep -l 'role: root' one/private/*.key)" root/
    rm -rf one
    echo "$gun" >>fleet
done

# --- the same requests by curl
bare() { curl --silent --http1.1 --parallel --parallel-max "$jobs" --cacert ca.crt --config "$1"; }
ask() { printf 'url = "%s/v2/%s/_trust/tuf/%s"\noutput = /dev/null\n' "$url" "$1" "$2"; }
by_digest() { echo "$2.$(sha256sum "docker/trust/tuf/$1/metadata/$2.json" | cut -d ' ' -f 1).json"; }
status() { "$COURIER" status --jobs "$jobs" "$@" fleet; }
# Each time into a new folder; what is deleted in between would slow the file system down.
new() { mkdir "$1" && echo "$1"; }
fetch() { "$COURIER" fetch --jobs "$jobs" --server "$url" --ca ca.crt --out "$1" --list fleet; }
cold() { status --trust-on-first-use --trust-dir "$1"; }
cold docker/trust >out
while read -r gun; do
    for file in 3.root.json timestamp.json; do ask "$gun" $file >>warm.urls; done
    for file in root.json 3.root.json timestamp.json "$(by_digest "$gun" snapshot)" "$(by_digest "$gun" targets)"; do
        ask "$gun" "$file" >>cold.urls
    done
    for file in root.json 1.root.json 2.root.json snapshot.key timestamp.key timestamp.json \
        "$(by_digest "$gun" snapshot)"; do
        ask "$gun" "$file" >>fetch.urls
    done
done <fleet

# --- turn by turn
for round in $(seq "$rounds"); do
    timed cold.bare bare cold.urls
    timed cold.ours cold "$(new "trust.$round")"
    timed warm.bare bare warm.urls
    timed warm.ours status
    timed fetch.bare bare fetch.urls
    timed fetch.ours fetch "$(new "media.$round")"
done
gun=$(name 1)
timed warm-up notary docker/trust lookup "$gun" 1.0
for _ in $(seq "$lookups"); do
    timed verify.bare notary docker/trust lookup "$gun" 1.0
    timed verify.ours "$COURIER" verify "$gun:1.0"
done

# --- a line for each turn: which, and the nanoseconds of the bare requests (or of notary) and of courier
for name in cold warm fetch verify; do paste -d ' ' "$name.bare" "$name.ours" | sed "s/^/$name /"; done
