"""Writes realm.json, acme-realm.json and acme-users-0.json, and what they hold to standard output."""

import base64
import datetime
import hashlib
import json
import os
import sys
import uuid

from argon2.low_level import Type, hash_secret_raw

cast = json.load(open(sys.argv[1]))


def b64(data):
    return base64.b64encode(data).decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def stored(kind, label, created, secret, data):
    return {
        "id": str(uuid.uuid4()),
        "type": kind,
        "userLabel": label,
        "createdDate": created,
        "secretData": compact(secret),
        "credentialData": compact(data),
    }


def argon2id(password, created):
    salt = os.urandom(16)
    value = hash_secret_raw(password.encode(), salt, 5, 7168, 1, 32, Type.ID)
    parameters = {"hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}
    secret = {"value": b64(value), "salt": b64(salt), "additionalParameters": {}}
    return stored(
        "password",
        "My password",
        created,
        secret,
        {"hashIterations": 5, "algorithm": "argon2", "additionalParameters": parameters},
    )


def pbkdf2(digest, iterations, length):
    def credential(password, created):
        salt = os.urandom(16)
        value = hashlib.pbkdf2_hmac(digest, password.encode(), salt, iterations, length)
        algorithm = {"sha256": "pbkdf2-sha256", "sha512": "pbkdf2-sha512"}[digest]
        secret = {"value": b64(value), "salt": b64(salt), "additionalParameters": {}}
        return stored(
            "password",
            "My password",
            created,
            secret,
            {"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": {}},
        )

    return credential


# Older realms keep 64 bytes of SHA-256 at 27,500 iterations; a hash stays until its owner signs in.
HASHES = {
    "ada": argon2id,
    "bob": pbkdf2("sha512", 210_000, 64),
    "cy": pbkdf2("sha256", 27_500, 64),
    "emmy": argon2id,
}

REALM_ROLES = {"ada": ["admin"], "cy": ["manager"], "dee": ["admin"]}

users, people, organizations = [], [], {}
for index, person in enumerate(cast):
    if person["key"] == "ada-again":
        continue  # An address is unique in a realm, and kept in lower case.
    created = int(datetime.datetime.fromisoformat(person["created"]).timestamp() * 1000)
    credentials = [HASHES[person["key"]](person["password"]["right"], created)] if person["password"] else []
    if person.get("totp"):
        # The provider draws 20 letters and digits; the secret is that text, not what it would mean in base32.
        data = {"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"}
        credentials.append(stored("otp", "Phone", created, {"value": "JWp2bRRIFBTbO2ulSgUA"}, data))
    user = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, person["email"])),
        "username": person["email"],
        "firstName": person["first"],
        "lastName": person["last"],
        "email": person["email"],
        "emailVerified": person["verified"],
        "createdTimestamp": created,
        "enabled": not person["disabled"],
        "totp": bool(person.get("totp")),
        "credentials": credentials,
        "disableableCredentialTypes": [],
        "requiredActions": [],
        "realmRoles": ["default-roles-acme"] + REALM_ROLES.get(person["key"], []),
        "notBefore": 0,
        "groups": [],
    }
    if person.get("slack"):
        slack = person["slack"]
        user["federatedIdentities"] = [
            {"identityProvider": "slack", "userId": slack["user"], "userName": person["email"]}
        ]
    users.append({key: value for key, value in user.items() if value is not None})
    for slug in person["organizations"]:
        organizations.setdefault(slug, []).append({"username": person["email"], "membershipType": "UNMANAGED"})
    held = {"key": person["key"], "external_id": user["id"]}
    held["memberships"] = [{"organization": slug, "role": (REALM_ROLES.get(person["key"]) or ["employee"])[0]} for slug in person["organizations"]]
    if person.get("slack"):
        held["slack"] = [person["slack"]]
    if person.get("totp"):
        held["totp"] = base64.b32encode(b"JWp2bRRIFBTbO2ulSgUA").decode()
    people.append(held)

# The account behind a client is no person.
SERVICE = str(uuid.uuid5(uuid.NAMESPACE_DNS, "service-account-backend"))
users.append(
    {
        "id": SERVICE,
        "username": "service-account-backend",
        "emailVerified": False,
        "createdTimestamp": 1704067200000,
        "enabled": True,
        "totp": False,
        "serviceAccountClientId": "backend",
        "credentials": [],
        "disableableCredentialTypes": [],
        "requiredActions": [],
        "realmRoles": ["default-roles-acme"],
        "notBefore": 0,
        "groups": [],
    }
)
realm = {
    "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "acme")),
    "realm": "acme",
    "enabled": True,
    "registrationEmailAsUsername": True,
    "otpPolicyType": "totp",
    "otpPolicyAlgorithm": "HmacSHA1",
    "otpPolicyDigits": 6,
    "otpPolicyPeriod": 30,
    "users": users,
    "keycloakVersion": "26.7.0",
    "organizationsEnabled": True,
    "organizations": [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, slug)),
            "name": slug,
            "alias": slug,
            "enabled": True,
            "domains": [{"name": f"{slug}.example", "verified": False}],
            "members": members,
        }
        for slug, members in organizations.items()
    ],
}
FILES = {
    "realm.json": realm,
    "acme-realm.json": {name: value for name, value in realm.items() if name != "users"},
    "acme-users-0.json": {"realm": "acme", "users": users},
}
for name, content in FILES.items():
    with open(f"{sys.argv[2]}/{name}", "w") as file:
        # Jackson's default pretty printer puts a space before the colon.
        json.dump(content, file, ensure_ascii=False, indent=2, separators=(",", " : "))
        file.write("\n")
options = ["--slack-team", "T0ACME123"]
inputs = [{"file": "realm.json"}, {"file": "acme-users-0.json", "with": {"organizations": "acme-realm.json"}}]
json.dump({"inputs": inputs, "options": options, "people": people, "skipped": [SERVICE]}, sys.stdout)
