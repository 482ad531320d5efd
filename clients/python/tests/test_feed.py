import json
import logging
import os
import threading
import unittest
from unittest import mock

from hallpass_verify import Verifier, _feed, _http, _list, _token

from .support import LAPTOP, PHONE, VECTORS, Hallpass, Time, data, fresh, packed, reset, token, verifier

SID = {name: _token._read(probe.split(".")[1])["sid"] for name, probe in VECTORS["probes"].items()}


def entry(name):
    return {"sid": SID[name]}


class Feed(unittest.TestCase):
    def following(self, hallpass, **options):
        self.errors = []
        self.told = threading.Event()

        def on_error(error):
            self.errors.append(str(error))
            self.told.set()

        following = verifier(hallpass.url, on_error=on_error, **options)
        self.addCleanup(following.close)
        return following

    def until(self, holds):
        """Waits for what the feed's thread will do; it does not decide anything that it takes a while."""
        for _ in range(2000):
            if holds():
                return
            threading.Event().wait(0.005)
        self.fail("it has not come to this within ten seconds")

    def test_before_the_first_list_all_is_stale_and_the_first_question_asks_for_it(self):
        arrived = threading.Event()

        def stream(_, send):
            arrived.wait()
            send(fresh())
            hallpass.hold()

        with Hallpass(stream) as hallpass:
            judging = self.following(hallpass)
            self.assertEqual(hallpass.requests, [])
            self.assertEqual(judging.verify(LAPTOP).status, "stale")
            self.assertFalse(judging.ready(timeout=0))
            arrived.set()
            self.assertTrue(judging.ready())
            self.assertEqual(judging.verify(LAPTOP).status, "ok")

    def test_a_revocation_is_refused_once_it_was_sent(self):
        send_it = threading.Event()

        def stream(_, send):
            send(fresh())
            send_it.wait()
            send(data(entry("laptop")))
            hallpass.hold()

        with Hallpass(stream) as hallpass:
            judging = self.following(hallpass)
            judging.ready()
            self.assertEqual(judging.verify(LAPTOP).status, "ok")
            send_it.set()
            self.until(lambda: judging.verify(LAPTOP).status == "revoked")
            self.assertEqual(judging.verify(PHONE).status, "ok")

    def test_the_packed_list_comes_first_and_the_stream_goes_on_from_its_cursor(self):
        def stream(_, send):
            send(fresh("2.b"))
            hallpass.hold()

        whole = packed(_list.mark(SID["laptop"]))
        with Hallpass(stream, whole=whole) as hallpass:
            judging = self.following(hallpass)
            judging.ready()
            (path, first), (_, second) = hallpass.requests
            self.assertEqual(path, "/api/revocations")
            self.assertEqual((first["Accept"], first["Accept-Encoding"]), ("application/octet-stream", "identity"))
            self.assertNotIn("Last-Event-ID", first)
            self.assertEqual((second["Accept"], second["Last-Event-ID"]), ("text/event-stream", "1.a"))
            self.assertEqual([judging.verify(t).status for t in (LAPTOP, PHONE)], ["revoked", "ok"])

    def test_a_connection_cut_between_reset_and_fresh_leaves_the_old_list_and_is_made_again(self):
        again = threading.Event()

        def stream(number, send):
            if number == 1:
                return send(reset(entry("laptop")) + fresh("1.a") + reset(entry("phone")))
            again.set()
            hallpass.hold()

        with Hallpass(stream) as hallpass:
            judging = self.following(hallpass)
            judging.ready()
            self.assertTrue(again.wait(10))
            self.assertEqual(hallpass.requests[-1][1]["Last-Event-ID"], "1.a")
            self.assertEqual([judging.verify(t).status for t in (LAPTOP, PHONE)], ["revoked", "ok"])

    def test_a_refusal_is_told_once_and_never_judged_as_the_tokens_fault(self):
        for status in (401, 403, 404, 429, 500, 503):
            with self.subTest(status), Hallpass(status=status) as hallpass:
                judging = self.following(hallpass)
                self.assertFalse(judging.ready(timeout=0))
                self.assertTrue(self.told.wait(10))
                self.until(lambda: len(hallpass.requests) > 1)
                self.assertEqual(judging.verify(LAPTOP).status, "stale")
                hint = "; `key` is not one of `hallpass service list`" if status == 401 else ""
                self.assertEqual(self.errors, [f"{hallpass.url}/api/revocations has answered {status}{hint}"])
                judging.close()

    def test_another_failure_is_told_and_the_same_one_again_after_all_was_well(self):
        told = []
        feed = _feed.Feed(_http.Hallpass("http://127.0.0.1:9"), "hps_test", lambda: 0.0, told.append)
        refused, dead = OSError("refused"), OSError("dead")
        for error in (refused, refused, dead, refused):
            feed.failed(error)
        self.assertEqual(told, [refused, dead, refused])
        feed._on_fresh()
        feed.failed(refused)
        self.assertEqual(told[-1], refused)
        self.assertEqual(len(told), 4)

    def test_what_fails_is_logged_if_nobody_asks_for_it(self):
        judging = Verifier("http://127.0.0.1:9", "hps_test", secret="x")
        self.addCleanup(judging.close)
        with self.assertLogs("hallpass_verify", logging.ERROR) as logs:
            judging.ready(timeout=0)
            self.until(lambda: logs.output)
        self.assertIn("refused", logs.output[0])

    def test_tries_are_half_a_second_apart_at_first_then_twice_as_far_and_five_seconds_at_most(self):
        feed = _feed.Feed(_http.Hallpass("http://127.0.0.1:9"), "hps_test", lambda: 0.0, lambda _: None)
        with mock.patch("random.random", return_value=0.5):
            self.assertEqual([feed.pause() for _ in range(5)], [0.75, 1.5, 3, 3.75, 3.75])
            feed._on_fresh()
            self.assertEqual(feed.pause(), 0.75)

    def test_a_silent_connection_is_dead_and_another_one_takes_its_place(self):
        def stream(number, send):
            send(fresh(f"{number}.a"))
            hallpass.hold()

        with mock.patch.object(_http, "_PATIENCE", 0.05), Hallpass(stream) as hallpass:
            judging = self.following(hallpass)
            judging.ready()
            self.assertTrue(self.told.wait(10))
            self.until(lambda: hallpass.streams > 1)
            self.assertEqual(hallpass.requests[2][1]["Last-Event-ID"], "1.a")
            self.assertRegex(self.errors[0], "timed out")
            judging.close()

    def test_bytes_that_say_nothing_do_not_keep_the_list_fresh(self):
        time, memory = Time(), _feed.Memory()
        stream = _feed.StreamReader(memory, lambda: time.monotonic, lambda: None)
        stream.read(reset() + fresh())
        time.monotonic += 31
        stream.read(b": proxy\n\n" * 31)
        judging = verifier(time=time)
        judging._feed.memory, judging._feed.start = memory, lambda: None
        self.assertEqual(judging.verify(LAPTOP).status, "stale")
        stream.read(fresh())
        self.assertEqual(judging.verify(LAPTOP).status, "ok")

    def test_whoever_closes_it_ends_its_thread_at_once(self):
        def stream(_, send):
            send(fresh())
            hallpass.hold()

        with Hallpass(stream) as hallpass:
            judging = self.following(hallpass)
            judging.ready()
            judging.close()
            judging._feed._thread.join(3)  # Silence alone would take five seconds.
            self.assertFalse(judging._feed._thread.is_alive())
            self.assertEqual(self.errors, [])

    def test_a_line_without_end_is_not_kept(self):
        memory = _feed.Memory()
        stream = _feed.StreamReader(memory, lambda: 0.0, lambda: None)
        stream.read(reset(entry("laptop")) + fresh() + b"data: ")
        for _ in range(40):
            stream.read(b"x" * 100_000)
        self.assertLess(len(stream._events._rest), 1_100_000)
        self.assertRaises(ValueError, stream.read, b"\n\n")

    def test_what_is_not_the_feed_is_told_and_leaves_the_list_as_it_was(self):
        for junk in (b"data: {\n\n", b"data: 5\n\n", b"data: null\n\n", b'data: [{"sid":"x"}]\n\n', b"data: [5]\n\n"):
            with self.subTest(junk):
                memory = _feed.Memory()
                stream = _feed.StreamReader(memory, lambda: 0.0, lambda: None)
                stream.read(reset(entry("laptop")) + fresh())
                self.assertRaises(Exception, stream.read, junk)
                self.assertEqual(memory.cursor, "1.a")

    def test_a_cursor_that_no_header_can_carry_stops_nothing(self):
        again = threading.Event()

        def stream(number, send):
            if number == 1:
                return send(fresh("1.é🦊"))
            again.set()

        with Hallpass(stream) as hallpass:
            self.following(hallpass).ready()
            self.assertTrue(again.wait(10))
            self.assertNotIn("Last-Event-ID", hallpass.requests[2][1])

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
    def test_a_server_that_forks_may_make_it_before(self):
        def stream(_, send):
            send(data(entry("laptop")) + fresh())
            hallpass.hold()

        with Hallpass(stream) as hallpass:
            judging = self.following(hallpass)
            judging.ready()
            with judging._feed._lock:  # As if another thread were just about to begin.
                child = os.fork()
                if child == 0:
                    heard = judging.ready() and judging.verify(LAPTOP).status == "revoked"
                    os._exit(0 if heard and judging.verify(PHONE).status == "ok" else 1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.assertEqual(hallpass.streams, 2)

    def test_many_threads_that_ask_at_once_begin_one_connection(self):
        def stream(_, send):
            send(fresh())
            hallpass.hold()

        with Hallpass(stream) as hallpass:
            judging = self.following(hallpass)
            threads = [threading.Thread(target=judging.verify, args=(LAPTOP,)) for _ in range(50)]
            for thread in threads:
                thread.start()
            judging.ready()
            for thread in threads:
                thread.join()
            self.assertEqual(hallpass.streams, 1)


class Keys(unittest.TestCase):
    ES256, SECOND = token("ES256"), token("ES256 with the second key")
    UNKNOWN, HS256 = token("ES256 with a key that is not published"), token("HS256 with the newer secret")

    def setUp(self):
        self.time = Time()
        self.keys = VECTORS["keys"]["jwks"]["keys"]
        self.key_set = lambda: (200, json.dumps({"keys": self.keys}).encode())

        def stream(_, send):
            send(fresh())
            hallpass.hold()

        hallpass = self.hallpass = Hallpass(stream, key_set=lambda: self.key_set())
        hallpass.__enter__()
        self.addCleanup(hallpass.__exit__)
        self.errors = []
        self.judging = verifier(hallpass.url, self.time, jwks=True, on_error=self.errors.append)
        self.addCleanup(self.judging.close)
        self.judging.ready()

    def asked(self):
        return sum(path.endswith("jwks.json") for path, _ in self.hallpass.requests)

    def statuses(self, *tokens):
        return [self.judging.verify(token).status for token in tokens]

    def test_the_key_set_is_asked_for_once_however_many_unknown_keys_come(self):
        found = []
        threads = [
            threading.Thread(target=lambda t=t: found.append((t, self.judging.verify(t).status)))
            for t in [self.ES256, self.UNKNOWN] * 20
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(found), {(self.ES256, "ok"), (self.UNKNOWN, "invalid")})
        self.time.monotonic += 30
        self.judging.verify(self.UNKNOWN)
        self.assertEqual(self.asked(), 1)
        self.time.monotonic += 1
        self.judging.verify(self.UNKNOWN)
        self.assertEqual(self.asked(), 2)

    def test_a_key_that_is_published_later_is_found(self):
        *self.keys, later = self.keys
        self.assertEqual(self.statuses(self.ES256, self.SECOND), ["ok", "invalid"])
        self.keys = [*self.keys, later]
        self.time.monotonic += 31
        self.judging._stale = 60
        self.assertEqual(self.statuses(self.SECOND), ["ok"])

    def test_a_key_that_is_withdrawn_counts_no_more_not_even_for_tokens_seen_before(self):
        self.judging._stale = 60
        self.assertEqual(self.statuses(self.SECOND), ["ok"])
        self.keys = self.keys[:-1]
        self.time.monotonic += 31
        self.judging.verify(self.ES256)
        self.judging._published._asking.join()
        self.assertEqual(self.statuses(self.ES256, self.SECOND), ["ok", "invalid"])

    def test_404_means_that_there_are_no_keys(self):
        self.key_set = lambda: (404, b"{}")
        self.assertEqual(self.statuses(self.ES256, self.HS256), ["invalid", "ok"])
        self.assertEqual(self.errors, [])

    def test_a_key_set_that_cannot_be_had_makes_stale_what_its_keys_may_have_signed(self):
        for answer in ((503, b"{}"), (200, b"<p>Sign in to this network</p>"), (200, b"{}")):
            with self.subTest(answer):
                self.key_set = lambda: answer
                self.assertEqual(self.statuses(self.ES256, self.HS256), ["stale", "ok"])
                self.assertEqual(len(self.errors), 1)
                self.setUp()

    def test_keys_stay_while_the_key_set_cannot_be_had_again(self):
        self.judging._stale = 60
        self.assertEqual(self.statuses(self.ES256), ["ok"])
        self.key_set = lambda: (503, b"{}")
        self.time.monotonic += 31
        self.assertEqual(self.statuses(self.SECOND, self.UNKNOWN), ["ok", "stale"])

    def test_the_secret_alone_asks_for_no_key_set(self):
        alone = verifier(self.hallpass.url, self.time)
        self.addCleanup(alone.close)
        alone.ready()
        self.assertEqual([alone.verify(t).status for t in (self.HS256, self.ES256)], ["ok", "invalid"])
        self.assertEqual(self.asked(), 0)

    def test_claims_cannot_be_changed_and_come_with_ok_alone(self):
        claims = self.judging.verify(self.HS256).claims
        self.assertEqual((claims["role"], claims["pv"]), ("manager", 2))
        with self.assertRaises(TypeError):
            claims["role"] = "admin"
        self.assertEqual(self.judging.verify(token("no pv, as in older tokens")).claims["pv"], 0)
        self.assertEqual(self.judging.verify(token("exp is now")), ("expired", None))

    def test_whatever_is_no_token_is_invalid(self):
        for value in (None, 5, {}, [], b"a.b.c", [self.HS256], "\ud800", "a.b.c", "\0" * 5000, "." * 4000):
            self.assertEqual(self.judging.verify(value), ("invalid", None))

    def test_settings_that_cannot_be_meant_are_refused_at_once(self):
        for options in ({"url": "id.example.com"}, {"url": ""}, {"secret": ""}, {"secret": "a, ,b"}):
            with self.subTest(options), self.assertRaisesRegex(ValueError, "`(url|secret)`"):
                verifier(**options)

    def test_without_cryptography_es256_is_refused_at_once_and_hs256_works(self):
        with mock.patch.dict("sys.modules", {"cryptography": None}):
            self.assertRaisesRegex(ImportError, "pip install cryptography", verifier, secret=None)
            verifier()
