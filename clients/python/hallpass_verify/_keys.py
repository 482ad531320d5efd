"""What signs tokens. Each key has one algorithm."""

import base64
import contextlib
import hmac
import json
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from ._token import encode, write

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

# Whether this is the signature of that.
Check = Callable[[bytes, bytes], bool]

# Seconds between two requests for the key set.
_PAUSE = 30.0


class KeySetUnavailable(Exception):
    """The key may be one of the key set, which could not be had."""


def _under_headers(check: Check, alg: str, kid: str) -> Dict[str, Check]:
    """A key, by the headers that its tokens can have.

    No header is ever parsed: one that names another algorithm, or says more than which key it is, is the header of no key.
    """
    members = {"typ": "JWT", "alg": alg, "kid": kid}
    orders = (("typ", "alg", "kid"), ("alg", "typ", "kid"), ("alg", "kid", "typ"), ("alg", "kid"))
    headers = ({name: members[name] for name in order} for order in orders)
    return {encode(write(header).encode()): check for header in headers}


def shared_keys(secrets: str) -> Dict[str, Check]:
    """The HS256 keys of `JWT_SECRET`, with commas between several. A key id is eight bytes of HKDF-SHA256.

    Raises:
        ValueError: if one is empty.
    """
    keys: Dict[str, Check] = {}
    for secret in secrets.split(","):
        key = secret.strip().encode()
        if not key:
            raise ValueError("`secret` is empty: set it as JWT_SECRET of Hallpass, or leave it out for ES256")
        root = hmac.digest(bytes(32), key, "sha256")
        kid = hmac.digest(root, b"hallpass kid\x01", "sha256")[:8]
        keys.update(_under_headers(_hmac_check(key), "HS256", encode(kid)))
    return keys


def _hmac_check(key: bytes) -> Check:
    return lambda signature, signed: hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature)


class PublishedKeys:
    """The ES256 keys at `/.well-known/jwks.json`.

    `get` returns the body, nothing for 404, or raises what `failed` takes. `changed` is called when there are other keys.
    """

    def __init__(
        self,
        get: Callable[[], Optional[bytes]],
        monotonic: Callable[[], float],
        changed: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        _require_cryptography()
        self._get, self._monotonic, self._changed, self._failed = get, monotonic, changed, failed
        self._keys: Dict[str, Check] = {}
        self._is_missing = True
        self._asked = float("-inf")
        self._asking: Optional[threading.Thread] = None
        self.after_fork()

    def after_fork(self) -> None:
        """A lock that another thread held at a fork stays held."""
        self._lock = threading.Lock()

    def find(self, header: str) -> Optional[Check]:
        """The key of a token with this header. Only an unknown one waits for the key set.

        Raises:
            KeySetUnavailable
        """
        with self._lock:
            if self._monotonic() - self._asked > _PAUSE:
                self._asked = self._monotonic()
                self._asking = threading.Thread(target=self._ask, name="hallpass-keys", daemon=True)
                self._asking.start()
            asking = self._asking
        if header not in self._keys and asking is not None:
            asking.join()
        key = self._keys.get(header)
        if key is None and self._is_missing:
            raise KeySetUnavailable
        return key

    def _ask(self) -> None:
        try:
            body = self._get()
            keys = {} if body is None else published_keys(body)
        except Exception as error:
            self._is_missing = True
            self._failed(error)
        else:
            self._keys = keys
            self._is_missing = False
            self._changed()


def published_keys(key_set: bytes) -> Dict[str, Check]:
    """The ES256 keys of a key set; all others, and what is no key, are left out.

    Raises:
        Exception: of any kind, for what is no key set.
    """
    keys: Dict[str, Check] = {}
    for jwk in json.loads(key_set)["keys"]:
        if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
            with contextlib.suppress(ValueError):
                keys.update(_under_headers(_ecdsa_check(_public_key(jwk)), "ES256", jwk["kid"]))
    return keys


def _public_key(jwk: Dict[str, Any]) -> "EllipticCurvePublicKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big") for name in "xy")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _ecdsa_check(key: "EllipticCurvePublicKey") -> Check:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    def check(signature: bytes, signed: bytes) -> bool:
        if len(signature) != 64:
            return False
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        try:
            key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    return check


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        hint = "ES256 needs `pip install cryptography`; for HS256 give `secret`, the JWT_SECRET of Hallpass"
        raise ImportError(hint) from error
