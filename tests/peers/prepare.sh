#!/bin/sh
# Makes ready what the tests run against: Debian's packages, and the peers, each built once into the
# cache and linked from target/peers/, where the tests look. Does nothing when all is there.
# With arguments: only the peers so named.
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

# peer NAME VERSION: runs NAME.sh in a new folder, which becomes the peer's only if that ends well.
peer() {
    name=$1 VERSION=$2
    export VERSION
    folder=$cache/$name-$VERSION
    if [ ! -d "$folder" ]; then
        say "building $name $VERSION"
        new=$(mktemp -d "$cache/.new.XXXXXX")
        (cd "$new" && sh "$TOP/tests/peers/$name.sh") >"$cache/$name.log" 2>&1 9>&- || {
            tail -n 40 "$cache/$name.log" >&2
            rm -rf "$new"
            die "cannot build $name $VERSION"
        }
        chmod 755 "$new"
        mv "$new" "$folder"
    fi
    ln -sfn "$folder" "target/peers/$name"
}

need_rust
if [ $# -eq 0 ]; then
    need age binutils dbus e2fsprogs iproute2 libfaketime libnss3 libnss3-tools libtpm2-pkcs11-1 libtss2-tcti-tabrmd0 mount opensc opensc-pkcs11 softhsm2 p11-kit p11-kit-modules pcscd podman skopeo swtpm tpm2-abrmd vsmartcard-vpcd ykcs11 yubico-piv-tool yubikey-manager openssl strace gcc libc6-dev util-linux python3 curl zbar-tools
    set -- notary notary-store docker engine moto python shim lyingfs killer kryoptic tough vpiv walk age-plugin-yubikey
fi
for name do
    case $name in
        moto | python) version=$(digest "tests/peers/$name.txt") ;;
        killer | kryoptic | lyingfs | shim | vpiv) version=$(digest "tests/$name"/Cargo.* "tests/$name"/src/*) ;;
        tough) version=$(digest tests/peers/tough/Cargo.* tests/peers/tough/src/*) ;;
        notary-store) version=$(pin notary)-$(digest tests/peers/notary-store.sh) ;;
        walk) version=$(pin notary)-$(digest tests/peers/walk/main.go) ;;
        *) version=$(pin "$name") ;;
    esac
    peer "$name" "$version"
done
