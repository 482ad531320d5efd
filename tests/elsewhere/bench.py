"""The folder and the surroundings in which the programs run."""

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import loopback
import page
import server
import tokens


@dataclass(frozen=True)
class Bench:
    """Everything that verifiers are given."""

    folder: Path
    """Holds the blocks of the page as files, and `KID.pem` of each signing key."""
    keys: tokens.Keys
    jwks_url: str
    https_jwks_url: str
    certificate: Path
    """Of the server at `https_jwks_url`."""
    application: int
    """The port of an application that answers the headers it gets."""
    issued: dict[str, str | None]
    """A token of a real server by its algorithm."""

    @property
    def public_keys(self) -> list[Path]:
        return [self.folder / f"{key.kid}.pem" for key in self.keys.signing_keys]

    def writable(self) -> Path:
        """A new folder that an unprivileged server may write to."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        return folder


def environment(**variables: str) -> dict[str, str]:
    return {"PATH": f"{os.environ['PATH']}:/usr/sbin", **variables}


@contextmanager
def bench():
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hallpass-elsewhere-")))
        folder.chmod(0o755)
        for name, text in page.programs().items():
            file = folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        (folder / "node_modules").symlink_to(page.ROOT / "tests/elsewhere/node_modules")
        keys = tokens.Keys()
        certificate, key = _certificate(folder)
        jwks = stack.enter_context(loopback.answering(lambda _: keys.jwks))
        tls_jwks = stack.enter_context(loopback.answering(lambda _: keys.jwks, tls=(certificate, key)))
        path = "/.well-known/jwks.json"
        made = Bench(
            folder=folder,
            keys=keys,
            jwks_url=f"http://127.0.0.1:{jwks}{path}",
            https_jwks_url=f"https://localhost:{tls_jwks}{path}",
            certificate=certificate,
            application=stack.enter_context(loopback.application()),
            issued={"HS256": server.token(folder, keys.jwt_secret, environment())},
        )
        variables = environment(JWKS_URL=made.jwks_url)
        subprocess.run(["node", "jwks-to-pem.mjs"], cwd=folder, env=variables, check=True)
        yield made


def _certificate(folder: Path) -> tuple[Path, Path]:
    """For `localhost`, valid for a day, and its key."""
    certificate, key = folder / "tls.pem", folder / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key
