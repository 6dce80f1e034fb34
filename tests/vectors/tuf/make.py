import json, datetime, hashlib
from tuf.api.metadata import Root, Metadata, Key
from tuf.api.serialization.json import JSONSerializer
from securesystemslib.signer import CryptoSigner
from securesystemslib.formats import encode_canonical
from cryptography.hazmat.primitives.asymmetric import ec
exp=datetime.datetime(2036,11,22,0,0,0,tzinfo=datetime.timezone.utc)
ed=[CryptoSigner.generate_ed25519() for _ in range(2)]
e256=CryptoSigner.generate_ecdsa()
from securesystemslib.signer import SSlibKey
p384=ec.generate_private_key(ec.SECP384R1())
e384=CryptoSigner(p384, SSlibKey.from_crypto(p384.public_key(), scheme='ecdsa-sha2-nistp384'))
rsa=CryptoSigner.generate_rsa(scheme='rsassa-pss-sha256')
signers={'root':[ed[0],e256,e384,rsa],'targets':[ed[1]],'snapshot':[ed[1]],'timestamp':[ed[1]]}
r=Root(version=1, spec_version='1.0.31', expires=exp, consistent_snapshot=True)
for role,ss in signers.items():
    for s in ss: r.add_key(s.public_key, role)
r.roles['root'].threshold=4
r.unrecognized_fields['x-note']='café "\\" <&>'
m=Metadata(r)
for s in signers['root']: m.sign(s, append=True)
open('1.root.json','wb').write(m.to_bytes(JSONSerializer()))
print(m.signed.roles['root'].keyids, {k:len(v.signature) for k,v in m.signatures.items()})
r.verify_delegate('root', m.signed_bytes, m.signatures)
open('1.root.signed','wb').write(m.signed_bytes)
vals=["", "a\"b\\c", "é\u2028\U0001F600", {"b":[1,-2,None,True,False],"a":{}, "\uffff":1, "\U00010000":2, "A":"</script>&"}, 9007199254740992, -9007199254740992, []]
open('values.jsonl','w').write(''.join(json.dumps(v)+'\n' for v in vals))
open('values.olpc','w').write(''.join(encode_canonical(v)+'\n' for v in vals))
