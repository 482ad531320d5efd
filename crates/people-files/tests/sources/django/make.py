"""A Django project in one file: makes its people without arguments, else does what `manage.py` does."""

import base64
import datetime
import json
import sys

import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line

settings.configure(
    SECRET_KEY="synthetic",
    USE_TZ=True,
    TIME_ZONE="Europe/Zurich",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django_otp",
        "django_otp.plugins.otp_totp",
        "django_otp.plugins.otp_static",
        "allauth",
        "allauth.account",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ],
)
django.setup()

if len(sys.argv) > 1:
    execute_from_command_line(sys.argv)
    sys.exit()

from allauth.account.models import EmailAddress  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django_otp.plugins.otp_static.models import StaticDevice  # noqa: E402
from django_otp.plugins.otp_totp.models import TOTPDevice  # noqa: E402

HASHERS = {
    "ada": "pbkdf2_sha256",
    "bob": "argon2",
    "cy": "scrypt",
    "emmy": "bcrypt_sha256",
    "ada-again": "md5",
}

call_command("migrate", verbosity=0)
people = []
for person in json.load(open("cast.json")):
    key = person["key"]
    user = User.objects.create(
        username=key,
        # Nothing keeps two people from having the same address, and there is no word on whether it was confirmed.
        email=person["email"],
        first_name=person["first"] or "",
        last_name=person["last"] or "",
        is_active=not person["disabled"],
        is_staff=key == "ada",
        is_superuser=key == "ada",
        date_joined=datetime.datetime.fromisoformat(person["created"]),
        password=make_password(person["password"]["right"], hasher=HASHERS[key]) if person["password"] else make_password(None),
    )
    if key != "ada-again":
        EmailAddress.objects.create(user=user, email=f"{key}@home.example.com", verified=not person["verified"])
        EmailAddress.objects.create(user=user, email=user.email, verified=person["verified"], primary=True)
    held = {"key": key, "external_id": str(user.pk), "verified": False}
    if person.get("totp"):
        secret = base64.b32decode(person["totp"])
        TOTPDevice.objects.create(user=user, name="Phone", key=secret.hex(), confirmed=True)
        codes = StaticDevice.objects.create(user=user, name="backup")
        held["totp"] = person["totp"]
        held["recovery_codes"] = ["nfvj4e2a", "q6mzt7bk"]
        for code in held["recovery_codes"]:
            codes.token_set.create(token=code)
    people.append(held)
# Somebody who began and never confirmed, and somebody without an address.
TOTPDevice.objects.create(user=User.objects.get(username="emmy"), name="Phone", confirmed=False)
nobody = User.objects.create(username="cron", email="", password=make_password(None))

tables = {
    "totp": "otp_totp_totpdevice.csv",
    "static": "otp_static_staticdevice.csv",
    "token": "otp_static_statictoken.csv",
}
refused = [{"external_id": str(nobody.pk), "code": "no_email"}]
inputs = [{"file": "db.sqlite3"}, {"file": "auth_user.csv", "with": tables}]
json.dump({"inputs": inputs, "people": people, "refused": refused}, open("held.json", "w"))
# Who knows which addresses were verified is django-allauth.
verified = [{name: value for name, value in person.items() if name != "verified"} for person in people]
options = ["--map", "allauth.toml"]
held = {"inputs": [{"file": "db.sqlite3"}], "options": options, "people": verified, "refused": refused}
json.dump(held, open("held-allauth.json", "w"))
# A dump of people says nothing of their devices.
alone = [{name: person[name] for name in ("key", "external_id", "verified")} for person in people]
json.dump({"inputs": [{"file": "dump.json"}], "people": alone, "refused": refused}, open("held-dump.json", "w"))
