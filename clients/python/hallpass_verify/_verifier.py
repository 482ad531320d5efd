"""Judges tokens."""

import logging
import os
import ssl
import time
import weakref
from types import MappingProxyType
from typing import Any, Callable, Dict, Literal, Mapping, NamedTuple, Optional, Tuple

from ._feed import Feed
from ._http import Hallpass, Refused
from ._keys import Check, KeySetUnavailable, PublishedKeys, shared_keys
from ._list import mark
from ._token import InvalidToken, read_token

Status = Literal["ok", "expired", "revoked", "outdated", "stale", "invalid"]

# What a token says: `sub`, `sid`, `ver`, `pv`, `iat`, `exp`, and `orgId` with `role` if it speaks for an organization.
Claims = Mapping[str, Any]

# Tokens whose signatures are remembered: some 40 MB.
_MOST_SEEN = 20_000

_log = logging.getLogger("hallpass_verify")


class Result(NamedTuple):
    """What a token is.

    - `ok`: go on. Only then there are `claims`.
    - `expired`, `revoked`: answer 401 `invalid_token`; the person has to sign in again.
    - `outdated`: role, membership or rules have changed. Answer 401 `invalid_token`; the client refreshes and goes on.
    - `invalid`: not a token of this Hallpass, or not for this service. Answer 401 `invalid_token`.
    - `stale`: cannot be judged now, because Hallpass was not heard for too long. Answer 503 with `Retry-After`, never
      401, which would sign everyone out.
    """

    status: Status
    claims: Optional[Claims] = None


class Verifier:
    """Follows the feed of one Hallpass, and judges tokens by it. Any number of threads may share one.

    It begins with the first `verify` or `ready`, in a daemon thread of that process: servers that fork may make it
    before they do.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        secret: Optional[str] = None,
        jwks: Optional[bool] = None,
        issuer: Optional[str] = None,
        audience: Optional[str] = None,
        stale: float = 30,
        context: Optional[ssl.SSLContext] = None,
        on_error: Optional[Callable[[Exception], None]] = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """A verifier; it asks Hallpass nothing yet.

        Args:
            url: of Hallpass, such as `https://id.example.com`.
            key: one of `hallpass service add`, `hps_…`.
            secret: `JWT_SECRET` of Hallpass as it is, with commas between several: for HS256, the default.
            jwks: whether to ask Hallpass for the keys that it publishes, for ES256, which needs `cryptography`. By
                default that is what happens without `secret`; give both while Hallpass goes from the one to the other.
            issuer: `JWT_ISSUER` of Hallpass, where it is set.
            audience: `JWT_AUDIENCE` of Hallpass, where it is set. Without it a token with an `aud` is refused.
            stale: seconds without news of Hallpass after which every token is `stale` that is not known to be worse; 0
                refuses all at once, `math.inf` none. News come every second.
            context: for TLS, if the system's certificates are not those that Hallpass has.
            on_error: called with what fails, once until it fails otherwise; the log `hallpass_verify` by default.
            clock, monotonic: seconds since 1970, and of a clock that is never set. For tests.

        Raises:
            ValueError: if `url` or `secret` is none.
            ImportError: if `cryptography` is missing where it is needed.
        """
        self._issuer, self._audience, self._stale = issuer, audience, stale
        self._clock, self._monotonic = clock, monotonic
        self._seen: Dict[str, Tuple[Claims, int]] = {}
        self._shared = {} if secret is None else shared_keys(secret)
        hallpass = Hallpass(url, context)
        self._feed = Feed(hallpass, key, monotonic, on_error or _log_error)
        self._published: Optional[PublishedKeys] = None
        if jwks or (jwks is None and secret is None):
            key_set = _KeySet(hallpass)
            self._published = PublishedKeys(key_set, monotonic, self._forget, self._feed.failed)
        _all.add(self)

    def verify(self, token: str) -> Result:
        """Judges a token. Never raises."""
        self._feed.start()
        # Before it is verified: when the keys change meanwhile, this is not remembered.
        seen = self._seen
        try:
            known = seen.get(token)
            if known is None:
                known = self._read(token)
                if len(seen) >= _MOST_SEEN:
                    self._forget()
                seen[token] = known
        except KeySetUnavailable:
            return Result("stale")
        except (InvalidToken, TypeError, AttributeError):
            return Result("invalid")
        claims, session = known
        status = self._status(claims, session)
        return Result(status, claims if status == "ok" else None)

    def ready(self, timeout: float = 10) -> bool:
        """Waits until the list is there, at most this many seconds. Whether it is."""
        self._feed.start()
        return self._feed.heard.wait(timeout)

    def close(self) -> None:
        """Ends the connection; every token is `stale` soon."""
        self._feed.close()

    def _status(self, claims: Claims, session: int) -> Status:
        if claims["exp"] <= self._clock():
            return "expired"
        memory = self._feed.memory
        if memory.list is not None:
            worse = memory.list.judge(claims, session)
            if worse is not None:
                return worse
        fresh_at = memory.fresh_at
        return "ok" if fresh_at is not None and self._monotonic() - fresh_at <= self._stale else "stale"

    def _read(self, token: str) -> Tuple[Claims, int]:
        claims = read_token(token, self._is_signed, self._clock(), self._issuer, self._audience)
        return MappingProxyType(claims), mark(claims["sid"])

    def _is_signed(self, header: str, signature: bytes, signed: bytes) -> bool:
        check: Optional[Check] = self._shared.get(header)
        if check is None and self._published is not None:
            check = self._published.find(header)
        return check is not None and check(signature, signed)

    def _forget(self) -> None:
        self._seen = {}

    def _after_fork(self) -> None:
        self._feed.after_fork()
        if self._published is not None:
            self._published.after_fork()


class _KeySet:
    def __init__(self, hallpass: Hallpass) -> None:
        self._hallpass = hallpass

    def __call__(self) -> Optional[bytes]:
        """Nothing if Hallpass publishes no keys."""
        try:
            with self._hallpass.get("/.well-known/jwks.json", {"Accept-Encoding": "identity"}) as answer:
                return answer.whole()
        except Refused as refused:
            if refused.status == 404:
                return None
            raise


def _log_error(error: Exception) -> None:
    _log.error("%s", error)


_all: "weakref.WeakSet[Verifier]" = weakref.WeakSet()


def _after_fork() -> None:
    for verifier in _all:
        verifier._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
