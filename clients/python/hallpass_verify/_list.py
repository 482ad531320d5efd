"""The list of what is revoked or outdated."""

import json
import sys
from array import array
from bisect import bisect_left
from itertools import islice
from operator import le
from typing import Any, Dict, Iterable, Literal, Mapping, Optional, Set, Tuple


def mark(sid: str) -> int:
    """The last eight bytes of a session's id, which are random: they stand for it."""
    return int(sid[19:].replace("-", ""), 16)


class Revocations:
    """Sessions take eight bytes each, sorted, except for those that came last.

    One thread adds while others judge: what they look at is replaced at once, never in two steps.
    """

    def __init__(self, marks: "Optional[array[int]]" = None) -> None:
        self._sessions: "Tuple[array[int], Set[int]]" = (array("Q") if marks is None else marks, set())
        self._least_ver: Dict[str, int] = {}
        self._least_pv: Dict[str, int] = {}

    def add(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Takes entries of the feed; unknown ones are ignored.

        Raises:
            Exception: of any kind, for what is no list of entries.
        """
        marks, recent = self._sessions
        for entry in entries:
            if entry.get("sid"):
                recent.add(mark(entry["sid"]))
            for least, name in ((self._least_ver, "ver"), (self._least_pv, "pv")):
                if name in entry and entry[name] > least.get(entry["sub"], -1):
                    least[entry["sub"]] = entry[name]
        # So seldom that a million that come one by one are merged some thirty times.
        if len(recent) > 4096 + len(marks) / 8:
            self._sessions = (_merged(marks, recent), set())

    def judge(self, claims: Mapping[str, Any], session: int) -> "Optional[Literal['revoked', 'outdated']]":
        """For the session with this mark."""
        marks, recent = self._sessions
        place = bisect_left(marks, session)
        if session in recent or (place < len(marks) and marks[place] == session):
            return "revoked"
        if claims["ver"] < self._least_ver.get(claims["sub"], -1):
            return "revoked"
        return "outdated" if claims["pv"] < self._least_pv.get(claims["sub"], -1) else None


def unpack(body: bytes) -> Tuple[Revocations, str]:
    """The packed list, and its cursor.

    Raises:
        Exception: of any kind, if it is not a complete list.
    """
    line, _, rest = body.partition(b"\n")
    head = json.loads(line)
    marks = array("Q")
    marks.frombytes(rest)
    if sys.byteorder == "big":
        marks.byteswap()
    if len(marks) != head["sids"]:
        raise ValueError("the list is incomplete")
    if not all(map(le, marks, islice(marks, 1, None))):
        marks = array("Q", sorted(marks))
    revocations = Revocations(marks[:])  # No larger than it must be, as the array that has grown is.
    revocations.add(head["others"])
    return revocations, head["cursor"]


def _merged(marks: "array[int]", recent: Set[int]) -> "array[int]":
    merged = array("Q")
    start = 0
    for one in sorted(recent):
        end = bisect_left(marks, one, start)
        merged.extend(marks[start:end])
        merged.append(one)
        start = end
    merged.extend(marks[start:])
    return merged
