#!/usr/bin/env bash
# Makes the CSV that Clerk's dashboard exports (Settings → User exports), with the columns that its documentation and
# its own importer (github.com/clerk/migration-tool, samples/clerk.csv) name. Hashes: npm bcryptjs 3.0.3, argon2 0.45.1,
# and Node's own PBKDF2 by the table of hashers in Clerk's documentation.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund bcryptjs@3.0.3 argon2@0.45.1 csv-stringify@6.6.0
cp "$here/make.mjs" "$here/../cast.json" .
node make.mjs "$here/users.csv" >held.json
python3 "$here/../expect.py" "$here/expected.json" <held.json
