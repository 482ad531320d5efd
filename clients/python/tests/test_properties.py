import hmac
import random
import re
import unittest
import uuid
from unittest import mock

from hallpass_verify import _events, _feed, _list, _token, _verifier

from .support import VECTORS, Time, fresh, reset, verifier


class Streams(unittest.TestCase):
    def standard(self, text):
        """The steps of the standard, on the whole text."""
        events, last_id, kind, data = [], "", "", []
        for line in re.sub(r"\r\n|\r", "\n", text).split("\n")[:-1]:
            field, _, value = line.partition(":")
            value = re.sub("^ ", "", value)
            if line == "":
                if data:
                    events.append((kind, "\n".join(data), last_id))
                kind, data = "", []
            elif field == "event":
                kind = value
            elif field == "data":
                data.append(value)
            elif field == "id" and "\0" not in value:
                last_id = value
        return events

    def test_any_stream_in_any_pieces_is_read_as_the_standard_says(self):
        chance = random.Random(7)
        words = ["data", "event", "id", ":", ": ", " ", "\n", "\n", "\r\n", "\r", "x", "\0", "é", "🦊", "\u2028", "\n\n"]
        for _ in range(5_000):
            text = "".join(chance.choices(words, k=chance.randrange(40))) + "\n:"
            left, found, reader = text.encode(), [], _events.EventReader("")
            while left:
                size = chance.randrange(7)
                found += map(tuple, reader.events(left[:size]))
                left = left[size:]
            self.assertEqual(found, self.standard(text), text)


class Lists(unittest.TestCase):
    def test_however_many_sessions_are_listed_those_and_no_others_are_revoked(self):
        listed = [str(uuid.uuid4()) for _ in range(60_000)]
        revocations = _list.Revocations()
        for at in range(0, len(listed), 777):
            revocations.add([{"sid": sid} for sid in listed[at : at + 777]])
        claims = {"sub": "ada", "ver": 1, "pv": 0}
        judged = {revocations.judge(claims, _list.mark(sid)) for sid in listed}
        self.assertEqual(judged, {"revoked"})
        others = {revocations.judge(claims, _list.mark(str(uuid.uuid4()))) for _ in range(20_000)}
        self.assertEqual(others, {None})
        marks, _ = revocations._sessions
        self.assertGreater(len(marks), 50_000)
        self.assertEqual(marks.itemsize, 8)

    def test_a_packed_list_out_of_order_is_put_in_order(self):
        marks = [5, 3, 9]
        body = b'{"cursor":"1.a","sids":3,"others":[]}\n' + b"".join(mark.to_bytes(8, "little") for mark in marks)
        revocations, _ = _list.unpack(body)
        judged = [revocations.judge({"sub": "ada", "ver": 1, "pv": 0}, mark) for mark in (3, 4, 5, 9)]
        self.assertEqual(judged, ["revoked", None, "revoked", "revoked"])


class Tokens(unittest.TestCase):
    def setUp(self):
        memory = _feed.Memory()
        _feed.StreamReader(memory, lambda: Time().monotonic, lambda: None).read(reset() + fresh())
        self.verifier = verifier()
        self.verifier._feed.memory, self.verifier._feed.start = memory, lambda: None

    def test_a_token_with_any_character_changed_is_invalid(self):
        chance = random.Random(7)
        good = VECTORS["probes"]["laptop"]
        self.assertEqual(self.verifier.verify(good).status, "ok")
        for place in range(len(good)):
            other = chance.choice([c for c in "AZaz09-_.=+/ \n\0é" if c != good[place]])
            changed = good[:place] + other + good[place + 1 :]
            self.assertEqual(self.verifier.verify(changed).status, "invalid", changed)

    def test_the_last_character_has_one_spelling(self):
        good = VECTORS["probes"]["laptop"]
        accepted = [c for c in map(chr, range(33, 127)) if self.verifier.verify(good[:-1] + c).status == "ok"]
        self.assertEqual(accepted, [good[-1]])

    def test_any_signed_payload_is_judged_without_an_exception(self):
        chance = random.Random(7)
        pieces = ['"', "{", "}", "[", "]", ":", ",", "1", "-", ".5", "e9", "null", "true", "\\u0061", "\\", "é", "\0", " "]
        pieces += [f'"{name}"' for name in ("sub", "sid", "ver", "pv", "iat", "exp", "aud", "iss", "nbf", "role", "orgId")]
        secret = VECTORS["keys"]["secrets"].split(",")[0].encode()
        header = VECTORS["probes"]["laptop"].split(".")[0]
        for _ in range(20_000):
            payload = _token.encode("".join(chance.choices(pieces, k=chance.randrange(30))).encode())
            signature = _token.encode(hmac.digest(secret, f"{header}.{payload}".encode(), "sha256"))
            self.assertEqual(self.verifier.verify(f"{header}.{payload}.{signature}").status, "invalid")

    def test_no_more_tokens_are_remembered_than_there_is_room_for(self):
        good = [vector["token"] for vector in VECTORS["tokens"] if vector["expected"] == "ok" and "options" not in vector]
        with mock.patch.object(_verifier, "_MOST_SEEN", 3):
            for token in good:
                self.verifier.verify(token)
                self.assertIn(len(self.verifier._seen), (0, 1, 2, 3))
        self.assertGreater(len(good), 10)

    def test_junk_is_not_remembered(self):
        for n in range(30_000):
            self.verifier.verify(f"junk{n}")
        self.assertEqual(self.verifier._seen, {})
