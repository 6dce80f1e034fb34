#!/bin/sh
# Holds example ceremonies as practices on soft tokens, each after the one before:
#
#     sh ceremonies/run.sh OFFICIANT FOLDER EXAMPLE...
#
# OFFICIANT is the binary; FOLDER gets one folder for each ceremony, and everything in it can be looked at afterwards.
# What courier would bring is written here, so that no server is needed: the roots of the last trust folder, and online
# keys that openssl makes. What stands between two @ in plan.toml and repositories.txt is filled in.
set -eu
export LC_ALL=C

ceremonies=$(cd "$(dirname "$0")" && pwd)
officiant=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=$2
shift 2

digest() { sha256sum "$@" | cut -d ' ' -f 1; }
day() { date -u -d "$1 days" +%F; }
# The folder of a repository on media.
escaped() { printf '%s\n' "$1" | sed 's/:/%3a/g; s,/,%2f,g'; }
asks() { grep -qxF '[request]' "$example/plan.toml"; }
repositories() { awk 'NF && !/^#/ { print $1 }' "$example/repositories.txt" | sort; }

# The pin of an online key: SHA-256 of its SubjectPublicKeyInfo.
pin() { openssl pkey -in "$online/$1.key" -pubout -outform DER | digest; }

# Makes the online key of a role, in place of one that there may be.
make_online() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$online/$1.key" 2>/dev/null
}

# The roles whose keys the plan changes.
roles() { awk '/^\[/ { role = $0 == "[[role]]" } role && /^name = / { gsub(/"/, "", $3); print $3 }' "$example/plan.toml"; }

# Lays out room, media and tokens; those of the last ceremony are carried over.
lay_out() {
    mkdir -p media/in media/out-1 media/out-2
    echo in >media/in/officiant-media
    echo out | tee media/out-1/officiant-media >media/out-2/officiant-media
    if [ -n "$last" ]; then
        mkdir last
        cp -R "$last/media/out-1/trust" last/trust
        cp -R "$last/media/room-1" "$last/media/room-2" media/
        cp -R "$last/tokens" .
    else
        mkdir -p media/room-1 media/room-2 tokens
        echo room | tee media/room-1/officiant-media >media/room-2/officiant-media
    fi
    cp "$example/room.toml" "$example/answers.toml" .
}

# The base64 of each file, as a list of JSON.
listed() {
    comma=
    printf '['
    for file do
        printf '%s"%s"' "$comma" "$(base64 -w 0 "$file")"
        comma=,
    done
    printf ']'
}

# The line of a repository; the three online keys serve all of them.
line() {
    past=last/trust/metadata/$(escaped "$1")
    printf '{"name":"%s","roots":' "$1"
    # Version 10 follows version 9, and not version 1.
    # shellcheck disable=SC2046 # paths of ours hold no spaces
    listed $(find "$past" -name '*.root.json' 2>/dev/null | sort -V)
    printf ',"keys":{'
    comma=
    for role in snapshot targets timestamp; do
        printf '%s"%s":["%s"]' "$comma" $role "$(openssl pkey -in "$online/$role.key" -pubout -outform DER | base64 -w 0)"
        comma=,
    done
    printf '}}\n'
}

# Writes media/in/request as `courier fetch` does.
write_request() {
    request=media/in/request
    mkdir $request
    for name in $(repositories); do line "$name"; done >$request/repositories.jsonl
    cat >$request/request.json <<EOF
{
  "schema": "officiant-request-2",
  "dialect": "$dialect",
  "fetched": "$(date -u +%FT%TZ)",
  "server": "a practice",
  "repositories": $(repositories | wc -l)
}
EOF
    (cd $request && sha256sum repositories.jsonl request.json >SHA256SUMS)
}

# Fills in what a plan cannot know before its day.
fill() {
    lives=2000
    [ "$dialect" != tuf ] || lives=25
    after=
    [ -z "$last" ] || after=$(printf '%s\n' last/trust/ceremonies/*/SHA256SUMS | tail -n 1 | xargs sha256sum | cut -d ' ' -f 1)
    # The set that a reshare replaced.
    former=
    [ -z "$last" ] || former=$(sed -n '/"former"/,$ s/.*"set": "\(.*\)".*/\1/p' last/trust/custody.json | head -n 1)
    request=
    ! asks || request=$(digest media/in/request/SHA256SUMS)
    sed "s/@from@/$(day -1)/; s/@until@/$(day +3)/; s/@expires@/$(day +$lives)/; s/@after@/$after/
        s/@certificates@/$(day +3000)/; s/@request@/$request/; s/@former@/$former/
        s/@snapshot@/$(pin snapshot)/; s/@targets@/$(pin targets)/; s/@timestamp@/$(pin timestamp)/
        s/@list@/${list:-}/" "$example/$1"
}

# The publisher proves to hold a targets key that is new, as `courier prove` does.
prove() {
    roles | grep -qx targets || return 0
    plan=$(digest plan.toml)
    for name in $(repositories); do
        proofs=media/in/proofs/$(escaped "$name")
        mkdir -p "$proofs"
        signature=$(printf 'officiant proof v1\nrequest key\n%s\n%s\ntargets\n' "$plan" "$name" |
            openssl dgst -sha256 -sign "$online/targets.key" | base64 -w 0)
        printf '{"schema":"officiant-proof-1","plan":"%s","repository":"%s","role":"targets","key":"%s","signature":"%s"}\n' \
            "$plan" "$name" "$(pin targets)" "$signature" >"$proofs/targets-$(pin targets).json"
    done
}

hold() {
    dialect=$(sed -n 's/^dialect = "\(.*\)"$/\1/p' "$example/plan.toml")
    for role in $(roles); do make_online "$role"; done
    lay_out
    if asks; then
        write_request
        # shellcheck disable=SC2094 # the template lies in another folder
        fill repositories.txt >repositories.txt
        list=$(digest repositories.txt)
    fi
    # shellcheck disable=SC2094
    fill plan.toml >plan.toml
    prove
    printf '%s: ' "$(basename "$example")"
    if ! "$officiant" conduct plan.toml --room room.toml --answers answers.toml >closing.txt 2>screen.txt; then
        echo "refused"
        tail -n 5 screen.txt >&2
        exit 1
    fi
    head -n 1 closing.txt
}

mkdir -p "$folder/online"
online=$(cd "$folder/online" && pwd)
last=
number=0
for name do
    number=$((number + 1))
    example=$ceremonies/$name
    mkdir "$folder/$number-$name"
    cd "$folder/$number-$name"
    hold
    last=$PWD
    cd - >/dev/null
done
