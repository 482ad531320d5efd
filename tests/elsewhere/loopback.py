"""What programs and servers find on the loopback interface, and processes that end with the test."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class NotStarted(RuntimeError):
    """A server ended instead of listening."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # A proxy that ends drops the connections that it keeps open.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def answering(answer, tls: tuple[Path, Path] | None = None):
    """Serves `answer(headers)`, which is JSON in bytes, at every path. Yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = answer(self.headers)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def application():
    """An application behind a proxy: answers the headers that it gets, by name in lower case."""
    return answering(lambda headers: json.dumps({name.lower(): value for name, value in headers.items()}).encode())


UNPRIVILEGED = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
"""Arguments of `subprocess` for a process that is not root."""


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str], log: Path, user: dict = UNPRIVILEGED):
    """A server in the foreground, once it listens to `port`."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **user
        )
    try:
        for _ in range(1200):
            if server.poll() is not None:
                raise NotStarted(f"{command[0]} has ended: {log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError(f"{command[0]} does not listen: {log.read_text()}")
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
