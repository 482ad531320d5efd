#!/usr/bin/env bash
# Makes a list of people as a SCIM server answers `GET /scim/v2/Users` (RFC 7644 section 3.4.2), with the enterprise
# extension, written by PyPI scim2-models 0.12.3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scim2-models==0.12.3
"$folder/venv/bin/python" "$here/make.py" "$here/../cast.json" "$here/users.json" |
    python3 "$here/../expect.py" "$here/expected.json"
