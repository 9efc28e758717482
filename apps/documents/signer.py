"""A signer that reads its key once. Imported by workers only: the libraries take a quarter of a second.

pyHanko parses the key again for each signature, and OpenSSL tests an RSA key's primes every time, which
takes longer than all the rest of signing.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from pyhanko.sign.general import get_pyca_cryptography_hash
from pyhanko.sign.signers import SimpleSigner


class KeptSigner(SimpleSigner):
    """An RSA key is kept; with others, and other paddings, it signs as pyHanko does."""

    def __init__(self, plain: SimpleSigner):
        super().__init__(
            signing_cert=plain.signing_cert,
            signing_key=plain.signing_key,
            cert_registry=plain.cert_registry,
        )
        self._key = load_der_private_key(plain.signing_key.dump(), password=None)

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        mechanism = self.get_signature_mechanism_for_digest(digest_algorithm)
        if isinstance(self._key, RSAPrivateKey) and mechanism.signature_algo == "rsassa_pkcs1v15":
            return self._key.sign(data, PKCS1v15(), get_pyca_cryptography_hash(digest_algorithm))
        raw: bytes = super().sign_raw(data, digest_algorithm)
        return raw


def load(path: str, passphrase: str) -> KeptSigner | None:
    """From a PKCS#12 file; None when its passphrase does not open it or it is no such file."""
    plain = SimpleSigner.load_pkcs12(path, passphrase=passphrase.encode() or None)
    return None if plain is None else KeptSigner(plain)
