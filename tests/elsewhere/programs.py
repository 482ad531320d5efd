"""Programs of the page that run on the command line."""

import subprocess
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from bench import Bench, environment
from page import ROOT
from settings import Settings


def _run(command: list, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def program(*command: str, build: Callable[[Bench], None] | None = None):
    """A command that takes a token as its last argument, prints the user's id, and fails for a token it refuses."""

    @contextmanager
    def start(bench: Bench, settings: Settings):
        if build:
            build(bench)

        def ask(token: str) -> str | None:
            done = _run([*command, token], bench.folder, environment(**settings.variables))
            # A signal or a missing program is no refusal.
            if done.returncode < 0 or done.returncode in (126, 127):
                raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
            if done.returncode == 0:
                return done.stdout.strip()
            if done.stdout:
                raise RuntimeError(f"{command} printed {done.stdout!r} and then failed")
            return None

        yield ask

    return start


def go(file: str):
    """Debian's golang-jwt stands in for the module that the program imports."""
    binary = file.removesuffix(".go")

    def build(bench: Bench) -> None:
        source = "/usr/share/gocode/src/github.com/golang-jwt/jwt"
        (bench.folder / "go.mod").write_text(
            "module example\n\ngo 1.19\n\nrequire github.com/golang-jwt/jwt/v4 v4.4.3\n"
            f"\nreplace github.com/golang-jwt/jwt/v4 => {source}\n"
        )
        cache = ROOT / "target/elsewhere/go"
        variables = environment(GOCACHE=str(cache), GOPATH=str(bench.folder / "gopath"), GOPROXY="off")
        _succeed(["go", "build", "-mod=mod", "-o", binary, file], bench.folder, variables)

    return program(f"./{binary}", build=build)


def c(file: str):
    binary = file.removesuffix(".c")

    def build(bench: Bench) -> None:
        command = ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-o", binary, file, "-ljwt"]
        _succeed(command, bench.folder, environment())

    return program(f"./{binary}", build=build)


def _succeed(command: list, folder: Path, variables: dict[str, str]) -> None:
    done = _run(command, folder, variables)
    if done.returncode != 0:
        raise RuntimeError(f"{command} failed: {done.stdout}{done.stderr}")


def interpreted(*command: str):
    return lambda file: program(*command, file)
