"""What a list of a million costs, and what a token costs, against PyJWT: `python bench.py`."""

import base64
import json
import os
import random
import statistics
import time
import tracemalloc
import uuid
from array import array

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from hallpass_verify import Verifier, _keys, _list, _token

SECRET = base64.urlsafe_b64encode(os.urandom(32)).decode()
PRIVATE = ec.generate_private_key(ec.SECP256R1())
(HS_HEADER, *_) = _keys.shared_keys(SECRET)
HS_KID = json.loads(base64.urlsafe_b64decode(HS_HEADER + "=="))["kid"]


def key_set():
    numbers = PRIVATE.public_key().public_numbers()
    x, y = (_token.encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "bench", "use": "sig", "alg": "ES256"}]}


def make_token(alg):
    now = int(time.time())
    who = {"sub": str(uuid.uuid4()), "orgId": str(uuid.uuid4()), "role": "manager"}
    claims = {**who, "iat": now, "exp": now + 604_800, "sid": str(uuid.uuid4()), "ver": 1, "pv": 1}
    key, kid = (SECRET, HS_KID) if alg == "HS256" else (PRIVATE, "bench")
    return jwt.encode(claims, key, alg, headers={"kid": kid}, sort_headers=False)


def packed(count):
    chance = random.Random(7)
    marks = array("Q", sorted(chance.getrandbits(62) | 1 << 63 for _ in range(count)))
    return json.dumps({"cursor": "1.a", "sids": count, "others": []}).encode() + b"\n" + marks.tobytes()


def cost(rounds, run):
    """Microseconds of CPU time for each item, the median of the rounds."""
    found = []
    for items in rounds:
        start = time.process_time()
        for item in items:
            run(item)
        found.append((time.process_time() - start) * 1e6 / len(items))
    return statistics.median(found)


def main():
    body = packed(1_000_000)
    start = time.perf_counter()
    revocations, cursor = _list.unpack(body)
    loaded = time.perf_counter() - start
    tracemalloc.start()
    held = _list.unpack(body)
    size = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    del held
    print(f"a packed list of 1,000,000 sessions: loaded in {loaded * 1e3:.0f} ms, {size:.1f} MB held\n")

    verifier = Verifier("http://127.0.0.1:9", "hps_bench", secret=SECRET, jwks=True)
    verifier._feed.start = lambda: None
    memory = verifier._feed.memory
    memory.list, memory.cursor, memory.fresh_at = revocations, cursor, time.monotonic() + 3600
    verifier._published.find = _keys.published_keys(json.dumps(key_set()).encode()).get

    print(f"{'µs a token':14}{'seen':>14}{'first sight':>14}{'PyJWT':>14}")
    for alg, key in (("HS256", SECRET), ("ES256", PRIVATE.public_key())):
        rounds = [[make_token(alg) for _ in range(1000)] for _ in range(7)]
        first = cost(rounds, verifier.verify)
        # As from a header: each time another string, whose hash is not known yet.
        again = [[f"Bearer {token}" for token in tokens] for tokens in rounds]
        seen = cost(again, lambda header: verifier.verify(header[7:]))
        other = cost(rounds, lambda token: jwt.decode(token, key, algorithms=[alg]))
        assert verifier.verify(rounds[0][0]).status == "ok"
        print(f"{alg:14}{seen:14.1f}{first:14.1f}{other:14.1f}")
        print(f"{'  × seen':14}{1:14.1f}{first / seen:14.1f}{other / seen:14.1f}")


main()
