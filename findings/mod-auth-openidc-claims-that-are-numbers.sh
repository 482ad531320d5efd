#!/usr/bin/env bash
# Apache's mod_auth_openidc compares a claim that is a number with `claim:value`, but never with `claim~pattern`: the
# pattern that matches everything refuses it. And `Require expr` on a claim refuses everybody before a token is read.
#
# Versions: Debian 12's libapache2-mod-auth-openidc 2.4.12.3, apache2-bin 2.4.71, as an OAuth 2.0 resource server.
#
# | one good token with `"role":"manager"`, `"ver":3`                 | answer |
# |-------------------------------------------------------------------|--------|
# | `Require claim role:manager`                                      | 200    |
# | `Require claim role~^man`                                         | 200    |
# | `Require claim ver:3`                                             | 200    |
# | `Require claim ver~^3$`                                           | 401    |
# | `Require claim ver~.`                                             | 401    |
# | `Require expr "env('OIDC_CLAIM_ver') -gt 2"`                      | 403    |
# | `Require expr "-z %{REMOTE_USER} || env('OIDC_CLAIM_ver') -gt 2"` | 200    |
#
# One would expect the pattern to see the digits, as the header OIDC_CLAIM_ver has them, or the server not to start. So
# that a token has an `exp` at all, which this module does not require, cannot be said as `Require claim exp~.`. And
# one would expect `Require expr` to be asked after the token was read, as `Require claim` is: Apache asks all of them
# once without a user, and a plain no of that round is final. The last line lets that round pass.
set -euo pipefail

folder=$(mktemp -d)
chmod 755 "$folder"
server=
clean_up() {
    [[ -z $server ]] || { kill "$server" && wait "$server" || true; }
    rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
modules=/usr/lib/apache2/modules
{
    for module in mpm_event authn_core authz_core dir auth_openidc; do
        echo "LoadModule ${module}_module $modules/mod_$module.so"
    done
    echo "ServerName localhost"
    echo "Listen 127.0.0.1:$port"
    echo "PidFile $folder/run/pid"
    echo "DefaultRuntimeDir $folder/run"
    echo "ErrorLog $folder/run/error.log"
    echo "DocumentRoot $folder/pages"
    echo 'OIDCOAuthVerifySharedKeys "plain#1#0123456789abcdef0123456789abcdef"'
} >apache.conf
mkdir run pages
number=0
while read -r rule; do
    number=$((number + 1))
    mkdir "pages/$number"
    echo ok >"pages/$number/index.html"
    printf '<Location "/%s/">\n    AuthType oauth20\n    %s\n</Location>\n' "$number" "$rule" >>apache.conf
done <<'RULES'
Require claim role:manager
Require claim role~^man
Require claim ver:3
Require claim ver~^3$
Require claim ver~.
Require expr "env('OIDC_CLAIM_ver') -gt 2"
Require expr "-z %{REMOTE_USER} || env('OIDC_CLAIM_ver') -gt 2"
RULES

as_nobody=()
if ((EUID == 0)); then
    chown nobody run
    as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
PATH=$PATH:/usr/sbin
"${as_nobody[@]}" apache2 -DFOREGROUND -f "$folder/apache.conf" &
server=$!
for _ in $(seq 200); do
    curl -s -o /dev/null "http://127.0.0.1:$port/" && break
    kill -0 "$server"
    sleep 0.1
done

token=$(python3 - <<'PYTHON'
import base64
import hmac
import json
import time

encode = lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
claims = {"sub": "ada", "role": "manager", "ver": 3, "exp": int(time.time()) + 3600}
message = encode(b'{"alg":"HS256","kid":"1"}') + "." + encode(json.dumps(claims).encode())
print(message + "." + encode(hmac.digest(b"0123456789abcdef0123456789abcdef", message.encode(), "sha256")))
PYTHON
)
for path in $(seq "$number"); do
    answer=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/$path/" -H "Authorization: Bearer $token")
    echo "$answer $(grep -A 2 "^<Location \"/$path/\"" apache.conf | tail -1 | sed 's/^ *//')"
done | tee answers.txt
dpkg-query -W -f '${Package} ${Version}\n' libapache2-mod-auth-openidc apache2-bin

diff answers.txt - <<'EXPECTED'
200 Require claim role:manager
200 Require claim role~^man
200 Require claim ver:3
401 Require claim ver~^3$
401 Require claim ver~.
403 Require expr "env('OIDC_CLAIM_ver') -gt 2"
200 Require expr "-z %{REMOTE_USER} || env('OIDC_CLAIM_ver') -gt 2"
EXPECTED
echo "as stated: a pattern matches no number, and an expression alone is asked too early"
