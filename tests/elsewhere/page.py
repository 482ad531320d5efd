"""The programs in `docs/tokens-elsewhere.md`: fenced blocks with a file name after the language."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tokens-elsewhere.md"

_BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs() -> dict[str, str]:
    """The text of each block by its file name."""
    blocks = _BLOCK.findall(PAGE.read_text())
    found = dict(blocks)
    assert len(found) == len(blocks), "a file name is there twice"
    return found
