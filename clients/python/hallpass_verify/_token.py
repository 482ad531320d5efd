"""Access tokens, in the only form in which Hallpass writes them."""

import base64
import json
import re
from typing import Any, Callable, Dict, Optional

_LONGEST_TOKEN = 4096  # characters
_LONGEST_LIFE = 604_800  # seconds
_CLOCK_SKEW = 60  # seconds
_I32 = 1 << 31

_ID = re.compile(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}", re.ASCII)


class InvalidToken(Exception):
    """Not a token of this Hallpass, or not for us."""


def encode(data: bytes) -> str:
    """Base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def write(value: object) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def read_token(
    token: str,
    is_signed: Callable[[str, bytes, bytes], bool],
    now: float,
    issuer: Optional[str],
    audience: Optional[str],
) -> Dict[str, Any]:
    """The claims of a token; `pv` is 0 if the token has none. Whether it has expired is not asked.

    `is_signed` gets the header as it is, the signature, and what was signed.

    Raises:
        InvalidToken: if it is not valid, or not for us.
    """
    try:
        if len(token) > _LONGEST_TOKEN:
            raise InvalidToken
        header, payload, signature = token.split(".")
        if not is_signed(header, _decode(signature), f"{header}.{payload}".encode("ascii")):
            raise InvalidToken
        claims = _read(payload)
    # A token can hold anything: no number, no text, or nested too deep to read.
    except (ValueError, RecursionError) as error:
        raise InvalidToken from error
    if not (isinstance(claims, dict) and _are_claims(claims, now) and _are_for_us(claims, issuer, audience)):
        raise InvalidToken
    claims.setdefault("pv", 0)
    return claims


def _decode(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:  # The decoder takes several spellings of the same bytes.
        raise ValueError
    return data


def _read(part: str) -> Any:
    text = _decode(part).decode("utf-8")
    # NaN, which is no JSON, becomes a string.
    value = json.loads(text, parse_constant=str)
    if write(value) != text:  # The parser takes several spellings too, such as a name twice.
        raise ValueError
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _are_claims(claims: Dict[str, Any], now: float) -> bool:
    iat, exp, nbf = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if not (type(iat) is int and type(exp) is int and type(nbf) is int):
        return False
    versions = (claims.get("ver"), claims.get("pv", 0))
    if not all(type(version) is int and -_I32 <= version < _I32 for version in versions):
        return False
    if "orgId" in claims or "role" in claims:
        if not _is_id(claims.get("orgId")) or claims.get("role") not in ("employee", "manager", "admin"):
            return False
    is_alive = iat <= now + _CLOCK_SKEW and nbf <= now and 0 < exp - iat <= _LONGEST_LIFE
    return is_alive and _is_id(claims.get("sub")) and _is_id(claims.get("sid"))


def _are_for_us(claims: Dict[str, Any], issuer: Optional[str], audience: Optional[str]) -> bool:
    if issuer is not None and claims.get("iss") != issuer:
        return False
    if audience is None:
        return "aud" not in claims
    aud = claims.get("aud")
    return audience in aud if isinstance(aud, list) else audience == aud
