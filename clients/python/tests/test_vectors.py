import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import unittest

from hallpass_verify import _feed, _keys, _list

from .support import VECTORS, Time, fresh, reset, verifier


class Offline(unittest.TestCase):
    """A verifier whose feed is given to it piece by piece."""

    def judge(self, token, memory, time, **options):
        judging = verifier(time=time, jwks=True, **options)
        judging._feed.start = lambda: None
        judging._feed.memory = memory
        judging._published.find = KEYS.get
        status = judging.verify(token).status
        self.assertEqual(judging.verify(token).status, status)  # Its signature is remembered now.
        return status

    def test_every_token_is_judged_as_the_vectors_say(self):
        for vector in VECTORS["tokens"]:
            with self.subTest(vector["name"]):
                time, memory = Time(), _feed.Memory()
                silence = vector.get("silence", 0)
                if silence is not None:
                    stream = _feed.StreamReader(memory, lambda: time.monotonic, lambda: None)
                    stream.read(reset(*vector.get("revoked", [])) + fresh())
                time.monotonic += silence or 0
                options = dict(vector.get("options", {}))
                if "stale" in options:
                    options["stale"] = float(options["stale"])
                self.assertEqual(self.judge(vector["token"], memory, time, **options), vector["expected"])

    def leaves(self, vector, cut):
        time, memory = Time(), _feed.Memory()
        for text in vector["connections"]:
            stream = _feed.StreamReader(memory, lambda: time.monotonic, lambda: None)
            for piece in cut(text.encode()):
                stream.read(piece)
        time.monotonic += vector["silence"] or 0
        self.assertEqual(memory.cursor, vector["cursor"])
        judged = {name: self.judge(token, memory, time) for name, token in VECTORS["probes"].items()}
        self.assertEqual(judged, vector["expected"])

    def test_every_stream_leaves_the_list_that_the_vectors_say_however_it_is_cut(self):
        for vector in VECTORS["streams"]:
            with self.subTest(vector["name"]):
                self.leaves(vector, lambda text: [text])
                self.leaves(vector, lambda text: [text[at : at + 1] for at in range(len(text))])
                longest = max(len(text.encode()) for text in vector["connections"])
                for cut in range(1, longest):
                    self.leaves(vector, lambda text: [text[:cut], text[cut:]])

    def test_every_packed_list_is_loaded_or_refused(self):
        for vector in VECTORS["packed"]:
            with self.subTest(vector["name"]):
                body = base64.b64decode(vector["base64"])
                if vector["expected"] is None:
                    self.assertRaises(Exception, _list.unpack, body)
                    continue
                time, memory = Time(), _feed.Memory()
                memory.list, memory.cursor = _list.unpack(body)
                memory.fresh_at = time.monotonic
                judged = {name: self.judge(token, memory, time) for name, token in VECTORS["probes"].items()}
                self.assertEqual(judged, vector["expected"])

    def test_every_webhook_is_signed_as_the_vectors_say(self):
        for vector in VECTORS["webhooks"]:
            key = base64.b64decode(vector["secret"][len("whsec_") :])
            signed = f"{vector['id']}.{vector['timestamp']}.{vector['body']}".encode()
            made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            self.assertEqual(f"v1,{made}", vector["signature"])

    def test_the_vectors_are_what_their_script_makes(self):
        folder = pathlib.Path(__file__).parents[2] / "vectors"
        made = subprocess.run([sys.executable, folder / "make.py"], stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(made, (folder / "vectors.json").read_bytes())
        self.assertGreater(len(VECTORS["tokens"]) + len(VECTORS["streams"]), 60)


KEYS = _keys.published_keys(json.dumps(VECTORS["keys"]["jwks"]).encode())
