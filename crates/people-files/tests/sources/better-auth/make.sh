#!/usr/bin/env bash
# Makes what a team with better-auth holds: its SQLite database, with its own tables and with those that its command line
# makes for Drizzle, and a JSON file for each of the former. better-auth 1.7.25 with the plugins organization, twoFactor
# and admin; people sign up, found organizations, enable TOTP.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --legacy-peer-deps better-auth@1.7.25 libsql@0.5.29 kysely@0.28.11 \
    otpauth@9.4.1 auth@1.7.7 drizzle-orm@0.45.4 @libsql/client@0.18.0
cp "$here/make.mjs" "$here/../cast.json" .
node make.mjs better-auth >held.json
node make.mjs drizzle >held-drizzle.json
node -p "JSON.parse(fs.readFileSync('held.json')).environment.HALLPASS_IMPORT_PEPPER_BETTER_AUTH" \
    >"$here/better-auth.secret"
for file in better-auth.sqlite drizzle.sqlite; do
    sqlite3 "$file" 'PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM;' >/dev/null
    cp "$file" "$here/$file"
done
for table in user account organization member twoFactor; do
    sqlite3 -json better-auth.sqlite "SELECT * FROM \"$table\"" >"$here/$table.json"
done
python3 "$here/../expect.py" "$here/expected.json" <held.json
python3 "$here/../expect.py" "$here/expected-drizzle.json" <held-drizzle.json
