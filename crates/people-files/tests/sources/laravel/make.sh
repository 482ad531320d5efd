#!/usr/bin/env bash
# Makes what a team with Laravel holds: `users` of its own migration (0001_01_01_000000_create_users_table.php) as a
# SQLite database and as CSV. Debian 12: php8.2, php-illuminate-database and -hashing 8.83.26.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dpkg-query --show php-cli php-sqlite3 php-illuminate-database php-illuminate-hashing >/dev/null ||
    { echo "Install Debian's php-cli, php-sqlite3, php-illuminate-database and php-illuminate-hashing." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
php "$here/make.php" "$here/../cast.json" >held.json
sqlite3 database.sqlite 'PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM;' >/dev/null
cp database.sqlite "$here/database.sqlite"
sqlite3 -header -csv database.sqlite 'SELECT * FROM users' >"$here/users.csv"
python3 "$here/../expect.py" "$here/expected.json" <held.json
