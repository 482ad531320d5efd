#!/usr/bin/env bash
# Makes what a team with Supabase holds: auth.users, auth.identities and auth.mfa_factors as `psql` copies them to CSV,
# and auth.users as one JSON document. A private PostgreSQL gets the tables from the migrations of Supabase Auth
# v2.99.0, found in the folder AUTH_MIGRATIONS (`migrations` of a checkout of github.com/supabase/auth). Hashes: PyPI
# bcrypt 4.3.0 with the prefix and cost of Go's bcrypt, argon2-cffi 25.1.0, npm firebase-scrypt 2.2.0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
migrations=${AUTH_MIGRATIONS:?Name the folder of migrations of github.com/supabase/auth at v2.99.0.}
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -1)
folder=$(mktemp -d)
chmod 755 "$folder"
as_postgres() { if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi; }
stop() {
    as_postgres "$programs/pg_ctl" stop -D "$folder/data" -m immediate >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
((EUID)) || chown postgres "$folder"
as_postgres "$programs/initdb" -D "$folder/data" -U postgres -A trust >/dev/null
as_postgres "$programs/pg_ctl" start -w -D "$folder/data" -l "$folder/log" \
    -o "-c listen_addresses='' -k $folder -c timezone=UTC" >/dev/null
sql() { psql -h "$folder" -U postgres -d postgres -v ON_ERROR_STOP=1 -qAtX "$@"; }
sql -c 'CREATE ROLE supabase_auth_admin SUPERUSER LOGIN; CREATE ROLE anon; CREATE ROLE authenticated;
    CREATE ROLE service_role; CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin;'
for migration in "$migrations"/*.up.sql; do
    sed 's/{{ *index .Options "Namespace" *}}/auth/g' "$migration" |
        PGOPTIONS='-c search_path=auth,public -c client_min_messages=error' sql -U supabase_auth_admin -f - >/dev/null
done

cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check bcrypt==4.3.0 argon2-cffi==25.1.0
npm install --silent --no-audit --no-fund firebase-scrypt@2.2.0
cat >firebase.mjs <<'JAVASCRIPT'
import { FirebaseScrypt } from 'firebase-scrypt'
const [password, salt, signerKey, saltSeparator] = process.argv.slice(2)
process.stdout.write(await new FirebaseScrypt({ memCost: 14, rounds: 8, saltSeparator, signerKey }).hash(password, salt))
JAVASCRIPT
venv/bin/python "$here/make.py" "$here/../cast.json" rows.sql >held.json
sql -f rows.sql
# What Supabase's documentation and everybody with a connection string does.
sql -c '\copy (select * from auth.users order by created_at) to users.csv csv header' \
    -c '\copy (select * from auth.identities order by created_at, provider) to identities.csv csv header' \
    -c '\copy (select * from auth.mfa_factors order by created_at) to mfa_factors.csv csv header'
sql -c 'select json_agg(u order by created_at) from auth.users u' >users.json
sql -c 'select json_agg(i order by created_at, provider) from auth.identities i' >identities.json
sql -c 'select json_agg(f order by created_at) from auth.mfa_factors f' >mfa_factors.json
cp users.csv identities.csv mfa_factors.csv users.json identities.json mfa_factors.json "$here"
python3 "$here/../expect.py" "$here/expected.json" <held.json
