"""Writes users.json, and what it holds to standard output."""

import json
import sys
import uuid

from scim2_models import Email, EnterpriseUser, ListResponse, Manager, Meta, Name, Role, User

cast = json.load(open(sys.argv[1]))
IDS = {person["key"]: str(uuid.uuid5(uuid.NAMESPACE_URL, person["email"])) for person in cast}

users, people = [], []
for number, person in enumerate(cast, start=1):
    user = User[EnterpriseUser](
        id=IDS[person["key"]],
        external_id=f"E{number:04}",
        user_name=person["email"],
        active=not person["disabled"],
        meta=Meta(resource_type="User", created=person["created"], last_modified=person["created"]),
        # A second address stands first; the one that counts is marked.
        emails=[
            Email(value=f"{person['key']}@home.example.com", type="home"),
            Email(value=person["email"], type="work", primary=True),
        ],
    )
    if person["name"]:
        user.display_name = person["name"]
        user.name = Name(given_name=person["first"], family_name=person["last"], formatted=person["name"])
    user[EnterpriseUser] = EnterpriseUser(
        organization="Acme", employee_number=f"E{number:04}", department="Mathematics"
    )
    role = person["organizations"].get("acme", "employee")
    if role != "employee":
        user.roles = [Role(value=role), Role(value="mathematician")]
    membership = {"organization": "Acme", "role": role}
    if person.get("manager"):
        manager = IDS[person["manager"]]
        user[EnterpriseUser].manager = Manager(value=manager, display_name="Ada Lovelace")
        membership["manager"] = {"by": "external_id", "value": manager}
    users.append(user)
    people.append(
        {"key": person["key"], "external_id": IDS[person["key"]], "verified": False, "password": None, "memberships": [membership]}
    )
answer = ListResponse[User[EnterpriseUser]](
    total_results=len(users), start_index=1, items_per_page=len(users), resources=users
)
with open(sys.argv[2], "w") as file:
    json.dump(answer.model_dump(), file, ensure_ascii=False, indent=1)
    file.write("\n")
json.dump({"inputs": [{"file": "users.json"}], "people": people}, sys.stdout)
