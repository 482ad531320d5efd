"""Writes five files with the same people, and what they hold to standard output."""

import csv
import datetime
import io
import json
import pathlib
import sys
import zoneinfo

folder = pathlib.Path(sys.argv[1])
cast = json.loads((folder.parent / "cast.json").read_text())
ROLES = {"admin": "Geschäftsleitung", "manager": "Teamleitung", "employee": "Mitarbeit"}
HEADER = ["Nr.", "Vorname", "Nachname", "E-Mail", "Firma", "Funktion", "Vorgesetzt", "Eintritt", "Austritt"]
COMPANY = "Acme GmbH & Co. KG"
# As people type them: with spaces around, and not always in one case.
TYPED = {"emmy": " emmy@example.com ", "bob": "Bob@Example.com"}

rows, people = [HEADER], []
# A manager is named before their own row comes; the second row of Ada is the last one.
order = sorted(cast, key=lambda one: (one["key"] != "ada-again", one["key"]), reverse=True)
order.append(order.pop(next(index for index, one in enumerate(order) if one["key"] == "ada-again")))
for number, person in enumerate(order, start=1):
    key = person["key"]
    # Windows-1252 has ü and Š, but no ć.
    first, last = person["first"] or "", (person["last"] or "").replace("ć", "c")
    role = person["organizations"].get("acme", "employee")
    manager = "ADA@example.com" if person.get("manager") else ""
    joined = datetime.date.fromisoformat(person["created"][:10])
    typed = TYPED.get(key, person["email"])
    left = "30.06.2024" if person["disabled"] else ""
    rows.append(
        [f"{number:03}", first, last, typed, COMPANY, ROLES[role], manager, joined.strftime("%d.%m.%Y"), left]
    )
    midnight = datetime.datetime.combine(joined, datetime.time(), zoneinfo.ZoneInfo("Europe/Zurich"))
    membership = {"organization": COMPANY, "role": role}
    if manager:
        membership["manager"] = {"by": "email", "value": manager.lower()}
    people.append(
        {
            "key": key,
            "external_id": f"{number:03}",
            "email": typed.strip(),
            "name": f"{first} {last}".strip() or None,
            "verified": False,
            "created": midnight.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "password": None,
            "memberships": [membership],
        }
    )


def text(delimiter, line_end="\r\n"):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return file.getvalue()


FILES = {
    "excel-utf-8.csv": text(";").encode("utf-8-sig"),
    "excel-unicode.txt": b"\xff\xfe" + text("\t").encode("utf-16-le"),
    "excel-windows.csv": text(";").encode("cp1252"),
    "excel-sep.csv": ("sep=|\r\n" + text("|")).encode("utf-8-sig"),
    "libreoffice.csv": text(",", "\n").encode(),
}
for name, content in FILES.items():
    (folder / name).write_bytes(content)
json.dump({"inputs": [{"file": name} for name in FILES], "options": ["--map", "people.toml"], "people": people}, sys.stdout)
