#!/usr/bin/env bash
# Makes what `kc.sh export --realm acme --file realm.json --users realm_file` writes, and what it writes with `--dir`:
# Keycloak 26's representation of people, credentials and organizations as ExportUtils and ModelToRepresentation write
# it, without what concerns clients and flows. Hashes: PyPI argon2-cffi 25.1.0 and Python's hashlib, with the parameters
# of Keycloak's providers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check argon2-cffi==25.1.0
"$folder/venv/bin/python" "$here/make.py" "$here/../cast.json" "$here" |
    python3 "$here/../expect.py" "$here/expected.json"
