"""The server's half of the Secure Remote Password protocol (RFC 5054, with Cognito's hashes): a password is proved, and not sent.

All numbers are modulo N, a safe prime of 3072 bits (RFC 3526, group 15), with the generator g = 2. With x made of salt and password,
v = g^x is the verifier. The client sends A = g^a, the server B = k v + g^b; both know S = (A v^u)^b, from which the key follows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2
INFO = b"Caldera Derived Key\x01"
KEY_BYTES = 16


def padded(number: int) -> bytes:
    """Return a number that is not negative as the fewest bytes whose first bit is 0."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hashed(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


K = _hashed(padded(N), padded(G))


def verifier(pool: str, user: str, password: str, salt: int) -> int:
    """Return v, which is all that the server needs of a password."""
    inner = hashlib.sha256(f"{pool}{user}:{password}".encode()).digest()
    return pow(G, _hashed(padded(salt), inner), N)


def public(private: int, password_verifier: int) -> int:
    """Return B, for the server's ``private`` number b."""
    return (K * password_verifier + pow(G, private, N)) % N


def key(client: int, private: int, password_verifier: int) -> bytes:
    """Return the key that both sides know, if the client knows the password; ``client`` is A, which is not 0 modulo N."""
    scrambling = _hashed(padded(client), padded(public(private, password_verifier)))
    shared = pow(client * pow(password_verifier, scrambling, N), private, N)
    extracted = hmac.digest(padded(scrambling), padded(shared), hashlib.sha256)
    return hmac.digest(extracted, INFO, hashlib.sha256)[:KEY_BYTES]


def proof(shared_key: bytes, pool: str, user: str, secret_block: bytes, timestamp: str) -> str:
    """Return what a client sends that has the key, in base64."""
    told = pool.encode() + user.encode() + secret_block + timestamp.encode()
    return base64.b64encode(hmac.digest(shared_key, told, hashlib.sha256)).decode()
