"""What a verifier is told, and how it is asked."""

from collections.abc import Callable

from bench import Bench

Ask = Callable[[str], str | None]
"""The user's id if a token is accepted, `None` if it is refused."""


class Settings:
    """What a verifier is told: secrets, newest first, or the key set, or both."""

    def __init__(self, bench: Bench, *, secrets: str | None = None, has_keys: bool = False):
        self.secrets = secrets
        self.variables = {}
        if secrets is not None:
            self.variables["JWT_SECRET"] = secrets
        if has_keys:
            self.variables["JWKS_URL"] = bench.jwks_url
            self.variables["JWT_PUBLIC_KEYS"] = ",".join(map(str, bench.public_keys))
