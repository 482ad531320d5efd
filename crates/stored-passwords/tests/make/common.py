"""What the scripts of this folder share: the passwords, and the shape of a vector."""
import importlib.metadata
import itertools
import json
import pathlib

HERE = pathlib.Path(__file__).parent
PASSWORDS = json.loads((HERE / "passwords.json").read_text())
VECTORS = HERE.parent / "vectors" / "made"


class Vectors:
    """Vectors of one file. Passwords take turns, so that every format meets several kinds of them."""

    def __init__(self, package):
        self.package = f"{package} {importlib.metadata.version(package)}"
        self.rows = []
        self.turns = itertools.cycle(PASSWORDS)

    def add(self, scheme, form, hashed, extra=None, case=None):
        """`hashed` is a function of the password, and gives what is stored."""
        case = case or next(self.turns)
        row = {"package": self.package, "scheme": scheme, "format": form, "case": case,
               "password": PASSWORDS[case], "stored": hashed(PASSWORDS[case])}
        if extra:
            row["extra"] = extra
        self.rows.append(row)

    def write(self, name):
        text = json.dumps(self.rows, indent=1, ensure_ascii=True)
        (VECTORS / f"{name}.json").write_text(text + "\n")
