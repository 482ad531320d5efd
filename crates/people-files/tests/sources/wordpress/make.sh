#!/usr/bin/env bash
# Makes what a team with WordPress holds: wp_users and wp_usermeta as CSV (as phpMyAdmin exports tables: NULL without
# quotes), and one NDJSON file by a query. Debian 12's WordPress 6.1.9 installs itself into a private MariaDB and makes
# the people; one hash has the form of WordPress 6.8, by its rule.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dpkg-query --show php-cli php-mysql mariadb-server-core >/dev/null ||
    { echo "Install Debian's php-cli, php-mysql and mariadb-server-core." >&2; exit 1; }
folder=$(mktemp -d)
chmod 755 "$folder"
stop() {
    [[ -f $folder/pid ]] && kill "$(cat "$folder/pid")" && tail --pid="$(cat "$folder/pid")" -f /dev/null
    rm -rf "$folder"
}
trap stop EXIT
cd "$folder"
apt-get download -q=2 wordpress=6.1.9+dfsg1-0+deb12u1 >/dev/null 2>&1
dpkg-deb -x wordpress_*.deb .
mkdir data
user=()
((EUID)) || { user=(--user=nobody); chown nobody data .; }
mysql_install_db --no-defaults --datadir="$folder/data" "${user[@]}" --auth-root-authentication-method=normal >/dev/null
/usr/sbin/mariadbd --no-defaults --datadir="$folder/data" "${user[@]}" --socket="$folder/sql" --pid-file="$folder/pid" \
    --skip-networking --default-time-zone=+02:00 >log 2>&1 &
for _ in {1..100}; do [[ -S sql && -f pid ]] && break || sleep 0.1; done
query() { mariadb --no-defaults --socket="$folder/sql" -u root --default-character-set=utf8mb4 "$@"; }
query -e 'CREATE DATABASE wordpress CHARACTER SET utf8mb4'
php -d error_reporting=0 "$here/make.php" "$folder/usr/share/wordpress" "$folder/sql" "$here/../cast.json"
# Like phpMyAdmin's export as CSV with names of columns.
csv() {
    php -r '
        $table = $argv[2];
        $sql = new mysqli(null, "root", "", "wordpress", 0, $argv[1]);
        $sql->set_charset("utf8mb4");
        $rows = $sql->query("SELECT * FROM $table");
        $quoted = fn($value) => $value === null ? "NULL" : "\"" . str_replace("\"", "\"\"", $value) . "\"";
        echo implode(",", array_map($quoted, array_column($rows->fetch_fields(), "name"))), "\n";
        foreach ($rows as $row) echo implode(",", array_map($quoted, $row)), "\n";
    ' "$folder/sql" "$1"
}
csv wp_users >"$here/wp_users.csv"
query wordpress -e "DELETE FROM wp_usermeta WHERE meta_key NOT IN ('first_name', 'last_name', 'wp_capabilities', 'nickname')"
csv wp_usermeta >"$here/wp_usermeta.csv"
query --batch --raw --skip-column-names wordpress <"$here/people.sql" >"$here/people.ndjson"
python3 "$here/../expect.py" "$here/expected.json" <held.json
python3 "$here/../expect.py" "$here/expected-acme.json" <held-acme.json
