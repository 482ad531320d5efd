#!/usr/bin/env bash
# A new token is refused by four libraries while the issuer's clock is ahead of theirs: they take `iat` for a date from
# which the token is good, with no leeway unless told. So does jose with `maxTokenAge`.
#
# Versions: PyPI PyJWT 2.15.1, joserfc 1.8.0, Authlib 1.9.10, python-jose 3.5.0, jwcrypto 1.6.1; npm jose 6.2.18,
# jsonwebtoken 9.0.3, fast-jwt 6.3.6; Debian 12's golang-jwt 4.4.3, ruby-jwt 2.5.0, Crypt::JWT 0.034.
#
# | a token with `iat` 30 seconds ahead, `exp` in an hour; all defaults  | verdict                         |
# |----------------------------------------------------------------------|---------------------------------|
# | PyJWT                                                                | ImmatureSignatureError          |
# | joserfc, `JWTClaimsRegistry().validate`                              | InvalidClaimError               |
# | Authlib, `claims.validate`                                           | InvalidTokenError               |
# | golang-jwt 4                                                         | Token used before issued        |
# | jose with `maxTokenAge`                                              | ERR_JWT_CLAIM_VALIDATION_FAILED |
# | jose, jsonwebtoken (also with `maxAge`), fast-jwt                    | accepted                        |
# | python-jose, jwcrypto, ruby-jwt, Crypt::JWT                          | accepted                        |
#
# One would expect all to accept it: by RFC 7519 a token is not good before `nbf` and not after `exp`, and `iat` tells
# its age. Clocks of two hosts often differ by more, and then the first requests after a sign-in and after a refresh
# fail, while the same token works a moment later. A leeway mends it but also lengthens `exp`. PyJWT has
# `verify_iat: False`; with golang-jwt 4 switch the checks off and compare `exp` yourself.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    PyJWT==2.15.1 joserfc==1.8.0 Authlib==1.9.10 python-jose==3.5.0 jwcrypto==1.6.1
npm install --silent --no-audit --no-fund jose@6.2.18 jsonwebtoken@9.0.3 fast-jwt@6.3.6

export KEY=0123456789abcdef0123456789abcdef
cat >verify.py <<'PYTHON'
import base64
import hmac
import json
import os
import time
import warnings

warnings.simplefilter("ignore")

import jwt
from authlib.jose import jwt as authlib_jwt
from jose import jwt as python_jose
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import OctKey
from jwcrypto import jwk as jwcrypto_jwk, jwt as jwcrypto_jwt

KEY = os.environ["KEY"]
now = int(time.time())


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


claims = {"sub": "ada", "iat": now + 30, "exp": now + 3600}
message = encode(b'{"typ":"JWT","alg":"HS256"}') + "." + encode(json.dumps(claims).encode())
token = message + "." + encode(hmac.digest(KEY.encode(), message.encode(), "sha256"))
with open("token", "w") as file:
    file.write(token)


def joserfc():
    found = joserfc_jwt.decode(token, OctKey.import_key(KEY))
    joserfc_jwt.JWTClaimsRegistry().validate(found.claims)
    return found.claims


def authlib():
    found = authlib_jwt.decode(token, KEY)
    found.validate()
    return found


def jwcrypto():
    key = jwcrypto_jwk.JWK(kty="oct", k=encode(KEY.encode()))
    return json.loads(jwcrypto_jwt.JWT(jwt=token, key=key).claims)


for name, verify in {
    "PyJWT": lambda: jwt.decode(token, KEY, algorithms=["HS256"]),
    "joserfc": joserfc,
    "Authlib": authlib,
    "python-jose": lambda: python_jose.decode(token, KEY, algorithms=["HS256"]),
    "jwcrypto": jwcrypto,
}.items():
    try:
        print(name, "accepts", verify()["sub"])
    except Exception as error:
        print(name, "refuses:", type(error).__name__)
PYTHON

cat >verify.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs'
import { createVerifier } from 'fast-jwt'
import { jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'

const token = readFileSync('token', 'utf8')
const key = process.env.KEY
const bytes = new TextEncoder().encode(key)
const verifiers = {
  jose: async () => (await jwtVerify(token, bytes)).payload,
  'jose, maxTokenAge': async () => (await jwtVerify(token, bytes, { maxTokenAge: '7d' })).payload,
  jsonwebtoken: () => jsonwebtoken.verify(token, key),
  'jsonwebtoken, maxAge': () => jsonwebtoken.verify(token, key, { maxAge: '7d' }),
  'fast-jwt': () => createVerifier({ key })(token),
}
for (const [name, verify] of Object.entries(verifiers)) {
  try {
    console.log(name, 'accepts', (await verify()).sub)
  } catch (error) {
    console.log(name, 'refuses:', error.code)
  }
}
JAVASCRIPT

cat >verify.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/golang-jwt/jwt/v4"
)

func main() {
	token, _ := os.ReadFile("token")
	claims := jwt.MapClaims{}
	key := func(*jwt.Token) (interface{}, error) { return []byte(os.Getenv("KEY")), nil }
	if _, err := jwt.ParseWithClaims(string(token), claims, key); err != nil {
		fmt.Println("golang-jwt refuses:", err)
		return
	}
	fmt.Println("golang-jwt accepts", claims["sub"])
}
GO
cat >go.mod <<'MOD'
module example

go 1.19

require github.com/golang-jwt/jwt/v4 v4.4.3

replace github.com/golang-jwt/jwt/v4 => /usr/share/gocode/src/github.com/golang-jwt/jwt
MOD

{
    venv/bin/python verify.py 2>/dev/null
    node verify.mjs
    GOPROXY=off GOCACHE=$folder/cache GOPATH=$folder/go go run -mod=mod verify.go
    ruby -rjwt -e 'claims, = JWT.decode(File.read("token"), ENV["KEY"], true, algorithm: "HS256")
        puts "ruby-jwt accepts #{claims["sub"]}"'
    perl -MCrypt::JWT=decode_jwt -e 'open my $file, "<", "token"; print "Crypt::JWT accepts ",
        decode_jwt(token => <$file>, key => $ENV{KEY}, accepted_alg => "HS256")->{sub}, "\n"'
} | tee verdicts.txt
dpkg-query -W -f '${Package} ${Version}\n' golang-github-golang-jwt-jwt-dev ruby-jwt libcrypt-jwt-perl

diff verdicts.txt - <<'EXPECTED'
PyJWT refuses: ImmatureSignatureError
joserfc refuses: InvalidClaimError
Authlib refuses: InvalidTokenError
python-jose accepts ada
jwcrypto accepts ada
jose accepts ada
jose, maxTokenAge refuses: ERR_JWT_CLAIM_VALIDATION_FAILED
jsonwebtoken accepts ada
jsonwebtoken, maxAge accepts ada
fast-jwt accepts ada
golang-jwt refuses: Token used before issued
ruby-jwt accepts ada
Crypt::JWT accepts ada
EXPECTED
echo "as stated: libraries disagree on a good token of a clock that is thirty seconds ahead"
