"""Keys as Hallpass has them, good tokens, and tokens that every verifier must refuse."""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://auth.example.com"
AUDIENCE = "example-api"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Secret:
    """One secret of `JWT_SECRET`: 32 random bytes in base64url, of which the text is the key."""

    algorithm = "HS256"

    def __init__(self, text: str | None = None):
        self.text = text or base64url(secrets.token_bytes(32))
        self.kid = kid_of(self.text)

    def sign(self, message: bytes, algorithm: str = "HS256") -> bytes:
        digest = {"HS256": "sha256", "HS512": "sha512"}[algorithm]
        return hmac.digest(self.text.encode(), message, digest)


def kid_of(secret: str) -> str:
    """Eight bytes of HKDF-SHA256 (RFC 5869) in base64url, like `src/crypto/keyring.rs`."""
    root = hmac.digest(bytes(32), secret.encode(), "sha256")
    return base64url(hmac.digest(root, b"hallpass kid\x01", "sha256")[:8])


class SigningKey:
    """One key of `JWT_SIGNING_KEY`: P-256."""

    algorithm = "ES256"

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_numbers()
        x, y = (base64url(number.to_bytes(32, "big")) for number in (point.x, point.y))
        thumbprint = hashlib.sha256(_json({"crv": "P-256", "kty": "EC", "x": x, "y": y})).digest()
        self.kid = base64url(thumbprint)
        self.jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.kid, "use": "sig", "alg": "ES256"}

    @property
    def pem(self) -> str:
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(encoding, form).decode()

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Keys:
    """Two secrets and two signing keys, newest first, and keys of nobody."""

    def __init__(self):
        self.secrets = [Secret(), Secret()]
        self.signing_keys = [SigningKey(), SigningKey()]
        self.foreign = {"HS256": Secret(), "ES256": SigningKey()}

    def of(self, algorithm: str) -> list:
        return self.secrets if algorithm == "HS256" else self.signing_keys

    @property
    def jwt_secret(self) -> str:
        return ",".join(secret.text for secret in self.secrets)

    @property
    def jwks(self) -> bytes:
        return _json({"keys": [key.jwk for key in self.signing_keys]})


@dataclass(frozen=True)
class Case:
    name: str
    token: str
    is_good: bool


def claims(**changes) -> dict:
    """Of an access token. A change to `None` leaves a claim out."""
    now = int(time.time())
    usual = {
        "sub": str(uuid.uuid4()),
        "orgId": str(uuid.uuid4()),
        "role": "manager",
        "iat": now - 60,
        "exp": now + 3600,
        "sid": str(uuid.uuid4()),
        "ver": 3,
        "pv": 1,
        "iss": ISSUER,
        "aud": AUDIENCE,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def token(payload: dict, key, *, sign=None, **header) -> str:
    """Signed by `key`, or by another function `sign`, with the header that `key` has otherwise."""
    header = {"typ": "JWT", "alg": key.algorithm, "kid": key.kid} | header
    message = f"{base64url(_json(header))}.{base64url(_json(payload))}"
    return f"{message}.{base64url((sign or key.sign)(message.encode()))}"


HS512 = "HS512 with the secret"


def cases(algorithm: str, keys: Keys, issued: str | None) -> list[Case]:
    """For a verifier that has the keys of one algorithm, which has signed `issued`. The first and the last are good."""
    newest, older = keys.of(algorithm)
    good = token(claims(), newest)
    return [
        Case("good", good, True),
        *([Case("good, of a real server", issued, True)] if issued else []),
        Case(BY_OLDER_KEY, token(claims(), older), True),
        Case("good, of a clock that is thirty seconds ahead", token(claims(iat=int(time.time()) + 30), newest), True),
        *(Case(name, text, False) for name, text in _refused(algorithm, keys).items()),
        Case("good, once more", good, True),
    ]


BY_OLDER_KEY = "good, by the older key"
OTHER_ALGORITHM = "good, by a key of the other algorithm"


def _refused(algorithm: str, keys: Keys) -> dict[str, str]:
    key = keys.of(algorithm)[0]
    other = keys.of("ES256" if algorithm == "HS256" else "HS256")[0]
    head, payload, signature = token(claims(), key).split(".")
    admin = base64url(_json(claims(role="admin")))
    pem, kid = Secret(keys.signing_keys[0].pem), keys.signing_keys[0].kid
    now = int(time.time())
    refused = {
        "expired five seconds ago": token(claims(exp=now - 5), key),
        "expired two days ago": token(claims(iat=now - 777_600, exp=now - 172_800), key),
        "without exp": token(claims(exp=None), key),
        "signed by another key": token(claims(), key, sign=keys.foreign[algorithm].sign),
        "with the kid of no key": token(claims(), keys.foreign[algorithm]),
        "changed after it was signed": f"{head}.{admin}.{signature}",
        "without a signature": f"{head}.{payload}.",
        "alg none": token(claims(), key, sign=lambda _: b"", alg="none"),
        "HS256 keyed with the PEM of the public key": token(claims(), pem, kid=kid),
        "for another audience": token(claims(aud="another-api"), key),
        "without an audience": token(claims(aud=None), key),
        "of another issuer": token(claims(iss="https://other.example.com"), key),
        "without an issuer": token(claims(iss=None), key),
        "not a token": "hallpass",
        OTHER_ALGORITHM: token(claims(), other),
    }
    if algorithm == "HS256":
        refused[HS512] = token(claims(), key, sign=lambda message: key.sign(message, "HS512"), alg="HS512")
    return refused


def keyed_with_nothing() -> str:
    """Good, if an empty secret is one."""
    return token(claims(), Secret(), sign=lambda message: hmac.digest(b"", message, "sha256"))


def subject(text: str) -> str:
    """The user's id in a token."""
    payload = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
