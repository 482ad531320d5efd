#!/usr/bin/env bash
# Makes what `GET /admin/identities?include_credential=password&include_credential=totp&…` of Ory Kratos 26.2 answers,
# by the types of its source (identity/identity.go, credentials_lookup.go, the snapshots of handler_test.go) and the
# schema of its quick start, with traits email and name. Hashes: PyPI bcrypt 4.3.0, argon2-cffi 25.1.0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bcrypt==4.3.0 argon2-cffi==25.1.0
"$folder/venv/bin/python" "$here/make.py" "$here/../cast.json" "$here/identities.json" | python3 "$here/../expect.py" "$here/expected.json"
