#!/usr/bin/env bash
# Makes what a team with Auth.js 5 holds: @auth/core 0.41.3 signs people in, by a letter with a link and by a provider,
# through its adapter @auth/drizzle-adapter into SQLite, in the tables of that adapter's documentation; a column for
# passwords is added, as teams do who use the credentials provider.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --legacy-peer-deps @auth/core@0.41.3 @auth/drizzle-adapter@1.11.3 \
    drizzle-orm@0.45.4 @libsql/client@0.18.0 bcryptjs@3.0.3
cp "$here/make.mjs" "$here/../cast.json" .
node make.mjs >held.json
sqlite3 app.sqlite 'PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM;' >/dev/null
cp app.sqlite "$here/app.sqlite"
for table in user account; do
    sqlite3 -json app.sqlite "SELECT * FROM \"$table\"" >"$here/$table.json"
    sqlite3 -header -csv app.sqlite "SELECT * FROM \"$table\"" >"$here/$table.csv"
done
python3 "$here/../expect.py" "$here/expected.json" <held.json
