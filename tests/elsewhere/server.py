"""A token of a real server."""

import json
import os
import urllib.request
from pathlib import Path

import loopback
import tokens
from page import ROOT

BINARY = Path(os.environ.get("HALLPASS", ROOT / "target/debug/hallpass"))


def token(folder: Path, secrets: str, environment: dict[str, str]) -> str | None:
    """Ada's, as `hallpass dev` issues it; `None` if the program is not built."""
    if not BINARY.exists():
        return None
    port = loopback.free_port()
    settings = {
        "PORT": str(port),
        "DATABASE_URL": f"sqlite:{folder}/hallpass.db",
        "BCRYPT_COST": "4",
        "JWT_SECRET": secrets,
        "JWT_ISSUER": tokens.ISSUER,
        "JWT_AUDIENCE": tokens.AUDIENCE,
    }
    with loopback.running([str(BINARY), "dev"], port, environment | settings, folder / "log", user={}):
        login = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/auth/login",
            json.dumps({"email": "ada@example.com", "password": "correct horse battery staple"}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(login, timeout=30) as answer:
            return json.load(answer)["accessToken"]
