"""Asks every verifier of the page about good tokens and about tokens that it must refuse."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import page
import tokens
from bench import Bench, bench, environment
from loopback import NotStarted
from settings import Settings
from verifiers import VERIFIERS, Verifier


def main(words: list[str]) -> int:
    _check_the_page()
    chosen = [verifier for verifier in VERIFIERS if not words or any(word in verifier.name for word in words)]
    passed, failed, missing = 0, 0, []
    with bench() as surroundings:
        if not surroundings.issued["HS256"]:
            missing.append("a token of a real server. cargo build")
        for verifier in chosen:
            if not _is_installed(verifier):
                missing.append(f"{verifier.name}. apt-get install {verifier.packages}")
                continue
            began = time.monotonic()
            count, faults = _check(verifier, surroundings)
            passed, failed = passed + count - len(faults), failed + len(faults)
            print(f"{verifier.name}: {count} tokens in {time.monotonic() - began:.1f} s", flush=True)
            for fault in faults:
                print(f"    {fault}", flush=True)
    for what in missing:
        print(f"!!! LEFT OUT: {what}", file=sys.stderr)
    print(f"{passed} passed, {failed} failed, {len(missing)} skipped")
    return 1 if failed or not passed or (missing and os.environ.get("CI") == "true") else 0


def _check_the_page() -> None:
    """Every program of the page is run, and the versions that it names are those that are installed for it."""
    assert tokens.kid_of("correct horse battery staple") == "O_wq1KYCKcI", "a kid is not what Hallpass makes"
    tested = {file for verifier in VERIFIERS for file in verifier.files} | {"jwks-to-pem.mjs"}
    assert tested == set(page.programs()), f"not tested, or not there: {tested ^ set(page.programs())}"
    here = page.ROOT / "tests/elsewhere"
    pinned = json.loads((here / "package.json").read_text())["devDependencies"]
    pinned |= dict(line.split("==") for line in (here / "requirements.txt").read_text().split())
    rows = [row for row in page.PAGE.read_text().splitlines() if row.startswith("| ")]
    for library in ("jose", "jsonwebtoken", "jwks-rsa", "PyJWT"):
        named = any(library in row and pinned[library] in row for row in rows)
        assert named, f"the page does not say that {library} {pinned[library]} is tested"


def _is_installed(verifier: Verifier) -> bool:
    try:
        return subprocess.run(verifier.probe, env=environment(), capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def _check(verifier: Verifier, surroundings: Bench) -> tuple[int, list[str]]:
    """How many tokens were tried, and what was not as expected."""
    count, faults = 0, []
    with verifier.start(surroundings, _settings(verifier, surroundings)) as ask, ThreadPoolExecutor(2) as pool:
        for algorithm in verifier.algorithms:
            expected = [
                (case.name, tokens.subject(case.token) if is_good else None, pool.submit(ask, case.token))
                for case, is_good in _cases(verifier, algorithm, surroundings)
            ]
            for name, user, answer in expected:
                count += 1
                if (found := answer.result()) != user:
                    faults.append(f"{algorithm}, {name}: expected {user or 'a refusal'}, not {found or 'a refusal'}")
    if "HS256" in verifier.algorithms:
        count += 1
        if not _refuses_an_empty_secret(verifier, surroundings):
            faults.append("HS256, keyed with an empty secret, is accepted when the secret is empty")
    return count, faults


def _settings(verifier: Verifier, surroundings: Bench) -> Settings:
    secrets = None
    if "HS256" in verifier.algorithms:
        only_one = "HS256" in verifier.takes_one_key
        secrets = surroundings.keys.secrets[0].text if only_one else surroundings.keys.jwt_secret
    return Settings(surroundings, secrets=secrets, has_keys="ES256" in verifier.algorithms)


def _cases(verifier: Verifier, algorithm: str, surroundings: Bench):
    """Each with whether this verifier is to accept it."""
    for case in tokens.cases(algorithm, surroundings.keys, surroundings.issued.get(algorithm)):
        if case.name == tokens.BY_OLDER_KEY and algorithm in verifier.takes_one_key:
            continue
        is_other = case.name == tokens.OTHER_ALGORITHM and len(verifier.algorithms) > 1
        yield case, case.is_good or is_other or case.name in verifier.accepts


def _refuses_an_empty_secret(verifier: Verifier, surroundings: Bench) -> bool:
    try:
        with verifier.start(surroundings, Settings(surroundings, secrets="")) as ask:
            return ask(tokens.keyed_with_nothing()) is None
    except NotStarted:
        return True


sys.exit(main(sys.argv[1:]))
