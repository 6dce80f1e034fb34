#!/bin/sh
# Makes a virtual environment with python-tuf in the current folder.
set -eu
. "$TOP/tests/peers/install.sh"

need python3 python3-venv
/usr/bin/python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
    --no-deps -r "$TOP/tests/peers/python.txt"
venv/bin/python -m pip check
venv/bin/python -c 'import pkcs11, tuf.ngclient, securesystemslib.signer'
