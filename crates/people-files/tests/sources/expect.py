"""Writes the file that its argument names: the people that must come out of the files of one source.

Standard input is what that source holds of the people of cast.json, as JSON:
  inputs       [{"file": …, "with": {"name": file}}], each of which must give the same people
  environment  settings that the import needs
  options      further arguments
  people       in the order of the file: [{"key": "ada", "external_id": …, …}]
  refused      rows that no person can be made of: [{"external_id": …, "code": …}]
  skipped      external ids of rows that are left out
What a person of `people` does not say comes from cast.json: e-mail, verified, name, created, disabled, password.
Memberships, Slack accounts, the TOTP secret and recovery codes are none unless they are said. Whoever has no name is
called by what stands before the @ of the address. A second person with the same address in whatever case is refused.
"""

import json
import pathlib
import sys

cast = {person["key"]: person for person in json.loads((pathlib.Path(__file__).parent / "cast.json").read_text())}
source = json.load(sys.stdin)


def person(held):
    known = cast[held["key"]]
    defaults = {name: known[name] for name in ("email", "verified", "name", "created", "disabled", "password")}
    nothing = {"memberships": [], "slack": [], "totp": None, "recovery_codes": []}
    merged = {"external_id": None, **defaults, **nothing, **held}
    del merged["key"]
    merged["email"] = merged["email"].lower()
    merged["name"] = " ".join((merged["name"] or merged["email"].partition("@")[0]).split())
    return merged


people = [person(held) for held in source["people"]]
refused = source.get("refused", [])
seen = set()
for one in people[:]:
    if one["email"] in seen:
        people.remove(one)
        refused.append({"external_id": one["external_id"], "code": "duplicate_email"})
    seen.add(one["email"])
expected = {
    "inputs": source["inputs"],
    "environment": source.get("environment", {}),
    "options": source.get("options", []),
    "people": people,
    "refused": refused,
    "skipped": source.get("skipped", []),
}
pathlib.Path(sys.argv[1]).write_text(json.dumps(expected, ensure_ascii=False, indent=2) + "\n")
