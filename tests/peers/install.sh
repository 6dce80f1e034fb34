# shellcheck shell=sh
# Read by run.sh, try.sh and prepare.sh (`. tests/peers/install.sh`): what a fresh Debian 12 lacks
# is installed here and nowhere else. Expects to be read at the top of the repository.

say() { printf 'officiant: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# Brings the package lists up to date, once per run. Another apt may hold the lists for a while.
lists_are_fresh=
freshen_lists() {
    [ -z "$lists_are_fresh" ] || return 0
    for pause in 2 5 10 20 40 0; do
        if as_root apt-get -o DPkg::Lock::Timeout=300 -qq update >&2; then
            lists_are_fresh=yes
            return 0
        fi
        sleep "$pause"
    done
    die "apt-get update does not succeed: are Debian's packages within reach?"
}

# Installs those of the named Debian packages that are not there.
need() {
    missing=
    for package do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "this is not Debian; install by hand:$missing"
    freshen_lists
    say "installing$missing"
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        install -y -qq --no-install-recommends $missing >&2 || die "cannot install$missing"
}

rust_is_new_enough() {
    command -v cargo >/dev/null && command -v rustc >/dev/null || return 1
    have=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
    [ "$(printf '%s\n%s\n' "$rust_wanted" "$have" | sort -V | head -n 1)" = "$rust_wanted" ]
}

# Finds a Rust as new as Cargo.toml asks for: the machine's own, else Debian's.
need_rust() {
    rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    if ! command -v cargo >/dev/null && [ -x "${HOME:-}/.cargo/bin/cargo" ]; then
        PATH=$HOME/.cargo/bin:$PATH
    fi
    # libpcsclite is what `officiant` speaks to pcscd by, for YubiKeys.
    need ca-certificates gcc libc6-dev libpcsclite-dev pkg-config
    rust_is_new_enough && return 0
    # The two exclude rustup's Debian package and older Rusts of Debian, which apt then removes.
    need rustc-web cargo-web
    PATH=/usr/bin:$PATH
    hash -r
    rust_is_new_enough || die "needs Rust $rust_wanted or newer, found $(rustc --version)"
}
