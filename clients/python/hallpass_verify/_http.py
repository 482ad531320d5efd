"""Requests to Hallpass."""

import contextlib
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Mapping, Optional
from urllib.parse import urlsplit

# In seconds, until a connection is there, and between two pieces of an answer: the feed says something every second.
_PATIENCE = 5


class Refused(Exception):
    """Hallpass, or something before it, has answered with an error."""

    def __init__(self, url: str, status: int) -> None:
        hint = "; `key` is not one of `hallpass service list`" if status == 401 else ""
        super().__init__(f"{url} has answered {status}{hint}")
        self.status = status


class Hallpass:
    """Redirects are not followed, so that a key goes nowhere else."""

    def __init__(self, url: str, context: Optional[ssl.SSLContext] = None) -> None:
        """Raises:
        ValueError: if the URL is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"`url` must be that of Hallpass, such as https://id.example.com, not {url!r}")
        self.url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._context = context

    def get(self, path: str, headers: Mapping[str, str]) -> "Answer":
        """Raises:
        Refused: if the status is not 200.
        OSError, HTTPException: if there is no answer.
        """
        if self._secure:
            context = self._context or ssl.create_default_context()
            connection: HTTPConnection = HTTPSConnection(self._host, self._port, timeout=_PATIENCE, context=context)
        else:
            connection = HTTPConnection(self._host, self._port, timeout=_PATIENCE)
        try:
            connection.request("GET", self._path + path, headers=dict(headers))
            # The response takes it over.
            stream = connection.sock
            response = connection.getresponse()
            if response.status != 200:
                raise Refused(self.url + path, response.status)
        except BaseException:
            connection.close()
            raise
        return Answer(connection, response, stream)


class Answer:
    """A body that is coming in, to be left by `with`."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse, stream: socket.socket) -> None:
        self._connection, self._response, self._stream = connection, response, stream

    def piece(self) -> bytes:
        """The next piece; nothing at the end.

        Raises:
            OSError: if there is none for five seconds, or the connection was cut.
        """
        try:
            return self._response.read1(65_536)
        except HTTPException as error:
            raise OSError(str(error)) from error

    def whole(self) -> bytes:
        """The rest of the body."""
        return b"".join(iter(self.piece, b""))

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()
        self._connection.close()

    def cut(self) -> None:
        """For another thread than the one that waits for a piece: it gets none."""
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
