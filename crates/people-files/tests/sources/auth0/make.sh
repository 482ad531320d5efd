#!/usr/bin/env bash
# Makes what a team with Auth0 holds, by its documentation: the file of an export job (NDJSON, gzip, no hashes), the
# file of hashes that its support sends (NDJSON), and a file for its import jobs (JSON array). npm bcryptjs 3.0.3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund bcryptjs@3.0.3
cp "$here/make.mjs" "$here/../cast.json" .
node make.mjs >held.json
gzip --no-name --best <users.ndjson >"$here/users.ndjson.gz"
cp hashes.ndjson import.json "$here"
python3 "$here/../expect.py" "$here/expected.json" <held.json
python3 "$here/../expect.py" "$here/expected-import.json" <held-import.json
