"""Event streams, as the HTML standard defines them (section 9.2.6), whatever the pieces in which they arrive."""

import codecs
import re
from typing import Iterator, NamedTuple

# In characters. An event of the feed has at most 1,000 entries, which need a tenth of it.
_LONGEST_EVENT = 1_000_000

# A carriage return at the end may be half a line end.
_LINE_END = re.compile(r"\r\n|\r(?!\Z)")


class Event(NamedTuple):
    type: str
    data: str
    id: str


class EventReader:
    """Reads one connection; `last_id` is the id of the last event of the one before."""

    def __init__(self, last_id: str) -> None:
        self._id = last_id
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")

    def events(self, piece: bytes) -> Iterator[Event]:
        """The events that are complete with this piece. Of one that is too long the end is cut off."""
        *events, rest = _LINE_END.sub("\n", self._rest + self._decoder.decode(piece)).split("\n\n")
        self._rest = rest[:_LONGEST_EVENT]
        for event in events:
            yield from self._event(event)

    def _event(self, lines: str) -> Iterator[Event]:
        kind = ""
        data = []
        for line in lines.split("\n"):
            field, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if field == "event":
                kind = value
            elif field == "data":
                data.append(value)
            elif field == "id" and "\0" not in value:
                self._id = value
        if data:
            yield Event(kind, "\n".join(data), self._id)
