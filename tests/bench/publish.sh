#!/bin/sh
# How long `courier publish` takes for a rotation of so many repositories, against the bare HTTP requests by curl with the
# same concurrency, turn by turn in one run: each rotation is of twice as many, one half goes up by courier and the other
# by curl. Run by the suite (tests/bench/run.sh), which reads what it prints; COURIER, OFFICIANT and BENCH name programs.
#
#   sh tests/bench/publish.sh REPOSITORIES ROUNDS
set -eu
cd "$(dirname "$0")/../.."
: "${COURIER:?}" "${OFFICIANT:?}" "${BENCH:?}"
repositories=$1 rounds=$2 jobs=8
. tests/bench/server.sh

export HOME="$work" XDG_STATE_HOME="$work/state"
all=$((2 * repositories))
"$BENCH" names "$all" >fleet
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out targets-key.pem 2>openssl.log
openssl pkey -in targets-key.pem -pubout -out targets.pem
openssl pkcs8 -topk8 -nocrypt -in targets-key.pem -outform DER -out targets.der

at_server() {
    verb=$1
    shift
    "$COURIER" "$verb" --jobs "$at_once" --server "$url" --ca ca.crt "$@"
}
# What is said is shown only where it is needed.
quietly() { "$@" >out 2>err || { cat out err >&2; exit 1; }; }
fetch() {
    mkdir -p "room/media/in-$1"
    echo in >"room/media/in-$1/officiant-media"
    number=$1
    shift
    quietly at_server fetch --list fleet --out "room/media/in-$number" "$@"
}
conduct() {
    (cd room && quietly "$OFFICIANT" conduct "plan-$1.toml" --room "room-$1.toml" --answers "answers-$1.toml")
}

# --- the first ceremony, and what it made goes up; a server that makes keys for two repositories at once ends
at_once=1
fetch 1 --targets-key targets.pem
"$BENCH" genesis-at room "$all" targets.der
conduct 1
quietly at_server publish room/media/out-1a --targets-key targets-key.pem
at_once=$jobs

# --- the requests of a half by curl: what is read before, what goes up, and what is read back
bare() { curl --silent --parallel --parallel-max "$jobs" --config "$1"; }
request() { printf 'url = "%s/v2/%s/_trust/tuf/%s"\noutput = /dev/null\ncacert = ca.crt\nhttp1.1\nfail\n' "$url" "$1" "$2"; }
ask() { request "$1" "$2" && echo next; }
send() { request "$1" "" && printf 'form = "files=@%s;filename=root"\nnext\n' "$2"; }
# The last `next` would begin a request without a URL.
config() { sed '$d'; }
lay_out() {
    version=$1
    while read -r gun; do
        ask "$gun" root.json
        for past in $(seq $((version - 1))); do ask "$gun" "$past.root.json"; done
        for file in snapshot.key timestamp.json snapshot.json targets.json; do ask "$gun" "$file"; done
    done <half.bare | config >before
    while read -r gun; do
        send "$gun" "$("$BENCH" root room "$version" "$gun")"
    done <half.bare | config >up
    while read -r gun; do
        for file in "$version.root.json" root.json timestamp.json snapshot.json targets.json; do ask "$gun" "$file"; done
    done <half.bare | config >after
}
bare_half() {
    bare before
    bare up
    bare after
}
ours_half() {
    # shellcheck disable=SC2046 # words
    at_server publish "room/media/out-$1a" $(sed 's/^/--repository /' half.ours)
}

# --- turn by turn
for round in $(seq "$rounds"); do
    version=$((round + 1))
    fetch "$version"
    "$BENCH" rotate-at room "$all" "$version"
    conduct "$version"
    first=bare second=ours
    [ $((round % 2)) = 1 ] || { first=ours second=bare; }
    head -n "$repositories" fleet >"half.$first"
    tail -n "$repositories" fleet >"half.$second"
    lay_out "$version"
    for turn in $first $second; do timed "publish.$turn" "${turn}_half" "$version"; done
    # Both halves have the same root now.
    quietly at_server publish "room/media/out-${version}a"
done
paste -d ' ' publish.bare publish.ours | sed 's/^/publish /'
