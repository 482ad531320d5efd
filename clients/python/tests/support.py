"""The vectors, and a Hallpass over real HTTP whose answers a test writes."""

import json
import pathlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hallpass_verify import Verifier

VECTORS = json.loads((pathlib.Path(__file__).parents[2] / "vectors" / "vectors.json").read_text("utf-8"))
NOW = VECTORS["now"]
LAPTOP, PHONE = VECTORS["probes"]["laptop"], VECTORS["probes"]["phone"]


def token(name):
    return next(vector["token"] for vector in VECTORS["tokens"] if vector["name"] == name)


def reset(*entries):
    return f"event: reset\ndata: {{}}\n\ndata: {json.dumps(entries)}\n\n".encode()


def data(*entries):
    return f"data: {json.dumps(entries)}\n\n".encode()


def fresh(cursor="1.a"):
    return f"event: fresh\nid: {cursor}\ndata: {{}}\n\n".encode()


def packed(*marks, cursor="1.a"):
    body = b"".join(mark.to_bytes(8, "little") for mark in sorted(marks))
    return json.dumps({"cursor": cursor, "sids": len(marks), "others": []}).encode() + b"\n" + body


class Time:
    """Both clocks of a verifier."""

    def __init__(self):
        self.now = NOW
        self.monotonic = 1000.0


class Hallpass:
    """`stream(number, send)` is called for each stream and sends pieces; when it returns the connection ends."""

    def __init__(self, stream=lambda number, send: None, whole=None, key_set=None, status=200):
        self.requests = []
        self.streams = 0
        self.status = status
        self.released = threading.Event()
        house = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                house.requests.append((self.path, dict(self.headers)))
                if self.path == "/.well-known/jwks.json":
                    self.answer(*(key_set() if key_set else (200, json.dumps(VECTORS["keys"]["jwks"]).encode())))
                elif house.status != 200 or self.headers["Authorization"] != "Bearer hps_test":
                    self.answer(house.status if house.status != 200 else 401, b"{}")
                elif self.headers["Accept"] == "application/octet-stream":
                    self.answer(200, packed() if whole is None else whole)
                else:
                    self.stream()

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def stream(self):
                house.streams += 1
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    stream(house.streams, self.send)
                except OSError:
                    pass  # The client has gone.
                self.close_connection = True

            def send(self, piece):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def hold(self):
        """Keeps a stream open until the end of the test."""
        self.released.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def verifier(url="http://127.0.0.1:9", time=None, **options):
    time = time or Time()
    given = {"secret": VECTORS["keys"]["secrets"], "key": "hps_test", **options}
    return Verifier(url, clock=lambda: time.now, monotonic=lambda: time.monotonic, **given)
