# shellcheck shell=sh
# Read by the scripts beside it at the top of the repository: a new folder, `$work`, to be in; a real notary-server,
# `$url`, whose authority is ca.crt there; and how turns are timed. All of it ends with the script.

peers=$PWD/target/peers/notary
work=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || kill "$server"
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1

now() { date +%s%N; }
# Runs the rest, and adds the nanoseconds that it took to the file.
timed() {
    times=$1
    shift
    began=$(now)
    "$@" >out 2>err || { cat out err >&2; exit 1; }
    echo "$(($(now) - began))" >>"$times"
}

# --- the server
printf 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' >extensions
new='req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256'
{
    # shellcheck disable=SC2086 # words
    openssl $new -x509 -days 2 -subj /CN=test-authority -keyout ca.key -out ca.crt
    # shellcheck disable=SC2086 # words
    openssl $new -subj /CN=localhost -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -sha256 \
        -extfile extensions -out server.crt
} 2>openssl.log
serve() {
    cat >server.json <<CONFIG
{"server": {"http_addr": "127.0.0.1:$port", "tls_key_file": "./server.key", "tls_cert_file": "./server.crt"},
"trust_service": {"type": "local"}, "logging": {"level": "error"}, "storage": {"backend": "memory"}}
CONFIG
    "$peers/notary-server" -config server.json >server.log 2>&1 &
    server=$!
    until curl -s --cacert ca.crt -o /dev/null "https://localhost:$port/v2/"; do
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
}
# A port that nobody has: the next one where the server does not start.
port=$((20000 + $$ % 20000))
until serve; do port=$((port + 1)); done
# shellcheck disable=SC2034 # for those who read this
url=https://localhost:$port
