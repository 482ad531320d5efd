#!/usr/bin/env bash
# Makes what a team with a table of its own holds, as `sqlite3 -header -csv` writes it: ids that are UUIDs, bcrypt of
# several libraries in one column, words for "no password". npm bcryptjs 3.0.3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund bcryptjs@3.0.3
cp "$here/make.mjs" "$here/../cast.json" .
node make.mjs >held.json
sqlite3 app.db <rows.sql
sqlite3 -header -csv app.db 'SELECT * FROM members ORDER BY joined_at' >"$here/members.csv"
python3 "$here/../expect.py" "$here/expected.json" <held.json
