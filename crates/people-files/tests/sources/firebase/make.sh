#!/usr/bin/env bash
# Makes what `firebase auth:export users.json` and `users.csv` write: the code of firebase-tools 15.34.2 runs, and a
# server on this machine answers it as Google's does. Hashes: npm firebase-scrypt 2.2.0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts firebase-tools@15.34.2 firebase-scrypt@2.2.0
cp "$here/make.cjs" "$here/../cast.json" .
node make.cjs >held.json
cp users.json users.csv "$here"
# The preset, and the values that the console shows for the project.
cat "$here/../../../presets/firebase.toml" project.toml >"$here/acme.toml"
python3 "$here/../expect.py" "$here/expected.json" <held.json
