"""Writes the rows of Supabase's tables as SQL, and what they hold to standard output."""

import base64
import json
import subprocess
import sys
import uuid

import argon2
import bcrypt

cast = json.load(open(sys.argv[1]))
ZERO = "00000000-0000-0000-0000-000000000000"
SIGNER = base64.b64encode(bytes(range(64))).decode()
SEPARATOR = "Bw=="


def gotrue(password):
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(10, b"2a")).decode()


def argon2id(password):
    return argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(password)


def firebase(password):
    """The form in which Supabase takes over hashes of Firebase."""
    salt = base64.b64encode(b"synthetic salt 1").decode()
    hash = subprocess.check_output(["node", "firebase.mjs", password, salt, SIGNER, SEPARATOR], text=True)
    return f"$fbscrypt$v=1,n=14,r=8,p=1,ss={SEPARATOR},sk={SIGNER}${salt}${hash}"


HASHES = {"ada": gotrue, "bob": gotrue, "cy": argon2id, "emmy": firebase}
statements, people, refused, skipped = [], [], [], []


def text(value):
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "true", False: "false"}[value]
    return "'" + str(value).replace("'", "''") + "'"


def insert(table, row):
    columns = ", ".join(f'"{name}"' for name in row)
    statements.append(f"INSERT INTO auth.{table} ({columns}) VALUES ({', '.join(map(text, row.values()))});")


def user(id, email, created, **others):
    row = {
        "instance_id": ZERO,
        "id": id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": email,
        "raw_app_meta_data": '{"provider": "email", "providers": ["email"]}',
        "raw_user_meta_data": "{}",
        "created_at": created,
        "updated_at": created,
        "confirmation_token": "",
        "recovery_token": "",
        "email_change_token_new": "",
        "email_change": "",
    }
    insert("users", {**row, **others})


for person in cast:
    if person["key"] == "ada-again":
        continue  # It folds the case of addresses.
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, person["email"]))
    created = person["created"]
    meta = {"email_verified": person["verified"]}
    if person["name"]:
        # Whoever signs in writes this column; a role in it proves nothing.
        meta |= {"full_name": person["name"], "role": "admin"}
    user(
        id,
        person["email"],
        created,
        # Somebody who came from a provider has an empty text here, somebody invited nothing.
        encrypted_password=HASHES[person["key"]](person["password"]["right"]) if person["password"] else "",
        email_confirmed_at=created if person["verified"] else None,
        banned_until="2124-01-01T00:00:00Z" if person["disabled"] else "2024-05-06T00:00:00Z" if person["key"] == "emmy" else None,
        raw_user_meta_data=json.dumps(meta),
    )
    held = {"key": person["key"], "external_id": id}
    if person["password"]:
        claims = {"sub": id, "email": person["email"], "email_verified": person["verified"]}
        row = {"provider": "email", "provider_id": id, "user_id": id, "identity_data": json.dumps(claims)}
        insert("identities", {**row, "created_at": created, "updated_at": created, "last_sign_in_at": created})
    if person.get("slack"):
        slack = person["slack"]
        claims = {
            "sub": slack["user"],
            "iss": "https://slack.com/api",
            "email": person["email"],
            "provider_id": slack["user"],
            "custom_claims": {"https://slack.com/team_id": slack["team"]},
        }
        row = {"provider": "slack_oidc", "provider_id": slack["user"], "user_id": id, "identity_data": json.dumps(claims)}
        insert("identities", {**row, "created_at": created, "updated_at": created, "last_sign_in_at": created})
        held["slack"] = [slack]
    if person.get("totp"):
        factor = {"user_id": id, "factor_type": "totp", "created_at": created, "updated_at": created}
        insert("mfa_factors", {"id": str(uuid.uuid4()), **factor, "status": "verified", "secret": person["totp"]})
        half = {"friendly_name": "never confirmed", "status": "unverified", "secret": "ORSXG5BAONUG65LMMQQGE3DBNZVS4LRO"}
        insert("mfa_factors", {"id": str(uuid.uuid4()), **factor, **half, "created_at": "2024-07-01T00:00:00Z"})
        held["totp"] = person["totp"]
    people.append(held)


def nobody(name, created, email=None, **others):
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    user(id, email, created, **others)
    return id


skipped.append(nobody("anonymous", "2024-07-01T00:00:00Z", is_anonymous=True))
phone = {"phone": "41446681800", "phone_confirmed_at": "2024-07-02T00:00:00Z"}
refused.append({"external_id": nobody("phone", "2024-07-02T00:00:00Z", **phone), "code": "no_email"})
gone = {"email": "gone@example.com", "deleted_at": "2024-07-04T00:00:00Z"}
skipped.append(nobody("deleted", "2024-07-03T00:00:00Z", **gone))

open(sys.argv[2], "w").write("\n".join(statements) + "\n")
inputs = [
    {"file": "users.csv", "with": {"identities": "identities.csv", "mfa_factors": "mfa_factors.csv"}},
    {"file": "users.json", "with": {"identities": "identities.json", "mfa_factors": "mfa_factors.json"}},
]
json.dump({"inputs": inputs, "people": people, "refused": refused, "skipped": skipped}, sys.stdout)
