"""Writes identities.json, and what it holds to standard output."""

import base64
import hashlib
import json
import os
import sys
import uuid

import argon2
import bcrypt

cast = json.load(open(sys.argv[1]))


def unpadded(data):
    return base64.b64encode(data).decode().rstrip("=")


def scrypt(password):
    # `ln` holds N itself here, and the base64 is padded.
    salt = os.urandom(16)
    value = hashlib.scrypt(password.encode(), salt=salt, n=16384, r=8, p=1, dklen=32, maxmem=64 << 20)
    return f"$scrypt$ln=16384,r=8,p=1${base64.b64encode(salt).decode()}${base64.b64encode(value).decode()}"


def pbkdf2(password):
    salt = os.urandom(16)
    value = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000, 32)
    return f"$pbkdf2-sha256$i=1000,l=32${unpadded(salt)}${unpadded(value)}"


def argon2id(password):
    return argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(password)


HASHES = {
    "ada": lambda password: bcrypt.hashpw(password.encode(), bcrypt.gensalt(5, b"2a")).decode(),
    "bob": argon2id,
    "cy": scrypt,
    "emmy": pbkdf2,
}

identities, people = [], []
for person in cast:
    if person["key"] == "ada-again":
        continue  # It folds the case of identifiers.
    email, created = person["email"], person["created"]
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, email))
    dates = {"created_at": created, "updated_at": created}
    credentials = {}

    def credential(kind, identifiers, config):
        credentials[kind] = {"type": kind, "config": config, "identifiers": identifiers, "version": 0, **dates}

    held = {"key": person["key"], "external_id": id}
    if person["password"]:
        credential("password", [email], {"hashed_password": HASHES[person["key"]](person["password"]["right"])})
    if person.get("slack"):
        slack = person["slack"]
        provider = {"subject": slack["user"], "provider": "slack", "initial_id_token": "", "initial_access_token": ""}
        credential("oidc", [f"slack:{slack['user']}"], {"providers": [provider]})
        held["slack"] = [slack]
    if person.get("totp"):
        issuer = f"otpauth://totp/Acme:{email}?algorithm=SHA1&digits=6&issuer=Acme&period=30&secret={person['totp']}"
        credential("totp", [id], {"totp_url": issuer})
        held["totp"] = person["totp"]
        codes = [{"code": "3z9mkqpf"}, {"code": "h2vx8rwd", "used_at": "2024-06-01T10:00:00Z"}, {"code": "q7dn4tyc"}]
        credential("lookup_secret", [id], {"recovery_codes": codes})
        held["recovery_codes"] = ["3z9mkqpf", "q7dn4tyc"]
    traits = {"email": email}
    if person["first"]:
        traits["name"] = {"first": person["first"], "last": person["last"]}
    verified = {"verified_at": created} if person["verified"] else {}
    identities.append(
        {
            "id": id,
            "credentials": credentials,
            "schema_id": "default",
            "schema_url": "http://127.0.0.1:4433/schemas/ZGVmYXVsdA",
            "state": "inactive" if person["disabled"] else "active",
            "state_changed_at": created,
            "traits": traits,
            "verifiable_addresses": [
                {
                    "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"verifiable {email}")),
                    "value": email,
                    "verified": person["verified"],
                    "via": "email",
                    "status": "completed" if person["verified"] else "sent",
                    **verified,
                    **dates,
                }
            ],
            "recovery_addresses": [
                {
                    "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"recovery {email}")),
                    "value": email,
                    "via": "email",
                    **dates,
                }
            ],
            "metadata_public": None,
            "metadata_admin": None,
            **dates,
            "organization_id": None,
        }
    )
    people.append(held)

with open(sys.argv[2], "w") as file:
    json.dump(identities, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")
inputs = [{"file": "identities.json"}]
json.dump({"inputs": inputs, "options": ["--slack-team", "T0ACME123"], "people": people}, sys.stdout)
