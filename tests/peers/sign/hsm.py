"""Signs root metadata so many times by a key on a token, with python-tuf and its signer for tokens.

`hsm.py LABEL KEYID PIN COUNT`; PYKCS11LIB names the module. Prints the nanoseconds of the signing alone.
"""

import sys
import time

from securesystemslib.signer import HSMSigner
from tuf.api.metadata import Metadata, Root

label, keyid, pin, count = sys.argv[1:]
_, public = HSMSigner.import_(int(keyid), label)
signer = HSMSigner(int(keyid), public, lambda _: pin, label)
root = Root()
root.add_key(public, "root")
metadata = Metadata(root)
began = time.perf_counter_ns()
for version in range(1, int(count) + 1):
    root.version = version
    metadata.sign(signer)
took = time.perf_counter_ns() - began
root.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
print(took)
