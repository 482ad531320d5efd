"""Follows the feed of revocations in a thread."""

import json
import random
import re
import threading
from typing import Callable, Optional

from ._events import EventReader
from ._http import Answer, Hallpass
from ._list import Revocations, unpack

_PATH = "/api/revocations"

# Seconds until the next try; chance adds as much again.
_FIRST_WAIT = 0.5
_LAST_WAIT = 2.5


class Memory:
    """What the feed has said so far."""

    def __init__(self) -> None:
        self.list: Optional[Revocations] = None
        self.cursor = ""
        # When the list was last known to be complete, by a clock that is never set.
        self.fresh_at: Optional[float] = None


class StreamReader:
    """Reads one connection into the memory. A list that follows a reset counts once it is complete."""

    def __init__(self, memory: Memory, monotonic: Callable[[], float], on_fresh: Callable[[], None]) -> None:
        self._memory, self._monotonic, self._on_fresh = memory, monotonic, on_fresh
        self._events = EventReader(memory.cursor)
        # Where entries go: to the list in force, or to the one that follows a reset.
        self._into = memory.list

    def read(self, piece: bytes) -> None:
        """Raises:
        Exception: of any kind, for what is not the feed.
        """
        memory = self._memory
        for event in self._events.events(piece):
            if event.type == "reset":
                self._into = Revocations()
            elif event.type == "" and self._into is not None:
                self._into.add(json.loads(event.data))
            elif event.type == "fresh":
                memory.list, memory.cursor = self._into, event.id
                if memory.list is not None:
                    memory.fresh_at = self._monotonic()
                    self._on_fresh()


class Feed:
    """Begins with the first `start`. `told` gets what fails, once until it fails otherwise."""

    def __init__(
        self, hallpass: Hallpass, key: str, monotonic: Callable[[], float], told: Callable[[Exception], None]
    ) -> None:
        self.memory = Memory()
        self._hallpass, self._key, self._monotonic, self._told = hallpass, key, monotonic, told
        self._said = ""
        self._wait = 0.0
        self.after_fork()

    def after_fork(self) -> None:
        """Threads do not outlive a fork, and what they held stays held."""
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.heard = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._answer: Optional[Answer] = None

    def start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="hallpass-feed", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        self._closed.set()
        answer = self._answer
        if answer is not None:
            answer.cut()

    def _run(self) -> None:
        closed = self._closed
        while not closed.is_set():
            try:
                self.connect()
            except Exception as error:
                if not closed.is_set():
                    self.failed(error)
            closed.wait(self.pause())

    def connect(self) -> None:
        """Loads the list if there is none, and then reads a stream until it ends.

        Raises:
            Exception: of any kind, if it ends in another way.
        """
        memory = self.memory
        if memory.list is None:
            with self._ask("application/octet-stream") as answer:
                memory.list, memory.cursor = unpack(answer.whole())
        reader = StreamReader(memory, self._monotonic, self._on_fresh)
        with self._ask("text/event-stream") as answer:
            for piece in iter(answer.piece, b""):
                if self._closed.is_set():
                    break
                reader.read(piece)

    def failed(self, error: Exception) -> None:
        """Tells of it, unless it is what was told before."""
        said = f"{type(error).__name__}: {error}"
        if said != self._said:
            self._said = said
            self._told(error)

    def pause(self) -> float:
        """Seconds until the next try: half to one at first, doubled each time up to five, until all is well again."""
        self._wait = min(self._wait * 2, _LAST_WAIT) or _FIRST_WAIT
        return self._wait * (1 + random.random())

    def _on_fresh(self) -> None:
        self._wait = 0.0
        self._said = ""
        self.heard.set()

    def _ask(self, accept: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": accept, "Accept-Encoding": "identity"}
        # Not every text fits a header; without a cursor the whole list comes.
        if re.fullmatch("[!-~]+", self.memory.cursor):
            headers["Last-Event-ID"] = self.memory.cursor
        self._answer = self._hallpass.get(_PATH, headers)
        return self._answer
