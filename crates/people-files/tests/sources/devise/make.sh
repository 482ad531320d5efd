#!/usr/bin/env bash
# Makes what a team with Rails and Devise holds: `users` as Devise's generator makes it (database_authenticatable,
# confirmable, lockable), as a SQLite database and as the CSV that PostgreSQL's `\copy` or sqlite3 writes. Devise's own
# encryptor hashes, with a pepper. Debian 12: ruby-devise 4.8.1, ruby-bcrypt 3.1.18.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dpkg-query --show ruby-devise ruby-activerecord ruby-sqlite3 >/dev/null ||
    { echo "Install Debian's ruby-devise, ruby-activerecord and ruby-sqlite3." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ruby "$here/make.rb" "$here/../cast.json" >held.json
node -p "JSON.parse(fs.readFileSync('held.json')).environment.HALLPASS_IMPORT_PEPPER_DEVISE" >"$here/devise.pepper"
sqlite3 app.sqlite3 'PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM;' >/dev/null
cp app.sqlite3 "$here/app.sqlite3"
sqlite3 -header -csv app.sqlite3 'SELECT * FROM users' >"$here/users.csv"
python3 "$here/../expect.py" "$here/expected.json" <held.json
