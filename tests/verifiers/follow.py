"""The verifier in Python, with a real server: `tests/verifiers/run` gives it one."""

import json
import os
import pathlib
import queue
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients" / "python"))

from hallpass_verify import Verifier  # noqa: E402

URL, KEY, SECRET = (os.environ[name] for name in ("HALLPASS_URL", "HALLPASS_KEY", "JWT_SECRET"))


def call(method, path, body=None, token=None):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method=method)) as answer:
        return json.load(answer)


def sign_in(name):
    return call("POST", "/api/auth/login", {"email": f"{name}@example.com", "password": "correct horse battery staple"})


def becomes(verifier, token, status):
    start = time.perf_counter()
    while (found := verifier.verify(token).status) == "ok":
        assert time.perf_counter() - start < 10, f"after ten seconds the token is not {status}"
        time.sleep(0.0005)
    assert found == status, found
    return (time.perf_counter() - start) * 1000


def main():
    keys = {"jwks": True} if "JWT_SIGNING_KEY" in os.environ else {"secret": SECRET}
    verifier = Verifier(URL, KEY, **keys)
    assert verifier.ready()

    waits = []
    for _ in range(20):
        token = sign_in("emmy")["accessToken"]
        assert verifier.verify(token).status == "ok"
        call("POST", "/api/auth/logout", token=token)
        waits.append(becomes(verifier, token, "revoked"))
    waits.sort()

    ada, emmy = sign_in("ada"), sign_in("emmy")
    role = "employee" if emmy["user"]["role"] == "manager" else "manager"
    call("PATCH", f"/api/users/{emmy['user']['id']}", {"role": role}, ada["accessToken"])
    becomes(verifier, emmy["accessToken"], "outdated")
    token = call("POST", "/api/auth/refresh", {}, emmy["accessToken"])["accessToken"]
    assert verifier.verify(token).claims["role"] == role
    call("POST", "/api/auth/logout-all", token=token)
    becomes(verifier, token, "revoked")

    another = Verifier(URL, KEY, **keys)
    assert another.ready()
    assert another.verify(token).status == "revoked"
    assert another.verify(ada["accessToken"]).status == "ok"
    another.close()
    verifier.close()
    print(f"Python: refused {waits[10]:.1f} ms after a logout, {waits[19]:.1f} ms at worst")

    errors = queue.Queue()
    stranger = Verifier(URL, "hps_wrong", on_error=errors.put, **keys)
    stranger.ready(timeout=0)
    assert str(errors.get(timeout=10)).endswith("answered 401; `key` is not one of `hallpass service list`")
    assert stranger.verify(ada["accessToken"]).status == "stale"
    stranger.close()


main()
