#!/usr/bin/env bash
# Makes what a team with Django holds: its SQLite database, `manage.py dumpdata auth.user`, and CSV files
# of its tables. Django 5.2.19 with argon2-cffi 25.1.0, bcrypt 4.3.0, django-otp 1.7.5 and django-allauth 65.22.1; every
# person has the hasher of another year.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    django==5.2.19 argon2-cffi==25.1.0 bcrypt==4.3.0 django-otp==1.7.5 django-allauth==65.22.1
cp "$here/make.py" "$here/../cast.json" .
venv/bin/python make.py
venv/bin/python make.py dumpdata auth.user --indent 1 --output dump.json
cp dump.json "$here/dump.json"
# What Django keeps for itself is left out, to keep the file small.
sqlite3 db.sqlite3 'DROP TABLE auth_permission; DROP TABLE auth_group_permissions; DROP TABLE auth_user_user_permissions;
    DROP TABLE auth_user_groups; DROP TABLE auth_group;
    DROP TABLE django_content_type; DROP TABLE django_migrations;
    DROP TABLE account_emailconfirmation;
    PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM;' >/dev/null
cp db.sqlite3 "$here/db.sqlite3"
for table in auth_user otp_totp_totpdevice otp_static_staticdevice otp_static_statictoken; do
    sqlite3 -header -csv db.sqlite3 "SELECT * FROM $table" >"$here/$table.csv"
done
python3 "$here/../expect.py" "$here/expected.json" <held.json
python3 "$here/../expect.py" "$here/expected-dump.json" <held-dump.json
python3 "$here/../expect.py" "$here/expected-allauth.json" <held-allauth.json
