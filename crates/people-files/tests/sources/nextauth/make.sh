#!/usr/bin/env bash
# Makes what a team with next-auth 4 and Prisma holds: its SQLite database, and a CSV and a JSON file for its tables.
# next-auth 4.24.15's adapter @next-auth/prisma-adapter 1.0.7, which calls Prisma; the schema is the one of its
# documentation with a column for passwords, as teams add it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts next-auth@4.24.15 @next-auth/prisma-adapter@1.0.7 \
    prisma@7.10.0 @prisma/client@7.10.0 @prisma/adapter-libsql@7.10.0 bcryptjs@3.0.3 --legacy-peer-deps
mkdir -p prisma
cp "$here/make.mjs" "$here/../cast.json" "$here/prisma.config.ts" .
make() {
    cp "$here/$3.prisma" prisma/schema.prisma
    # Making the client needs no engine; naming one keeps it from being downloaded.
    PRISMA_SCHEMA_ENGINE_BINARY=/bin/true npx prisma generate >/dev/null 2>&1
    sqlite3 "$1" <"$here/$3.sql"
    node make.mjs "$1" "$2" >held.json
    sqlite3 "$1" 'PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM;' >/dev/null
    cp "$1" "$here/$1"
}
# The engine of Prisma 6 and older wrote dates as milliseconds, its successor writes text, into the same columns.
make app-before-7.sqlite unixepoch-ms schema
# Many teams give tables and columns other names, with `@map`.
make mapped.sqlite iso8601 mapped
make app.sqlite iso8601 schema
for table in User Account; do
    sqlite3 -json app.sqlite "SELECT * FROM \"$table\"" >"$here/$table.json"
    sqlite3 -header -csv app.sqlite "SELECT * FROM \"$table\"" >"$here/$table.csv"
done
python3 "$here/../expect.py" "$here/expected.json" <held.json
