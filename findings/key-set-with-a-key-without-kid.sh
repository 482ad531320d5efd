#!/usr/bin/env bash
# A key set (JWKS) with a single key that has no `kid` verifies a token that has one in two of seven libraries, and in
# one of these only if the kid happens to be the key's thumbprint.
#
# Versions: PyPI joserfc 1.8.0, Authlib 1.9.10, python-jose 3.5.0, jwcrypto 1.6.1; npm jose 6.2.18; Debian 12's ruby-jwt
# 2.5.0, Crypt::JWT 0.034.
#
# | the only key of the set   | a P-256 key                        | a secret (`oct`)                   |
# |---------------------------|------------------------------------|------------------------------------|
# | the token's `kid`         | the key's thumbprint (RFC 7638)    | another                            |
# |---------------------------|------------------------------------|------------------------------------|
# | python-jose               | accepted                           | accepted                           |
# | joserfc                   | accepted                           | InvalidKeyIdError                  |
# | Authlib                   | Key not found                      | Key not found                      |
# | jwcrypto                  | Missing Key                        | Missing Key                        |
# | ruby-jwt                  | Could not find public key for kid  | Could not find public key for kid  |
# | Crypt::JWT                | kid_keys lookup failed             | kid_keys lookup failed             |
# | jose                      | ERR_JWKS_NO_MATCHING_KEY           | ERR_JOSE_NOT_SUPPORTED             |
#
# One would expect the key to be tried: `kid` is optional in a key (RFC 7517) and a hint in a token (RFC 7515), and
# there is nothing to choose from. All seven verify the token with the same key outside of a set. joserfc gives keys
# without a `kid` their thumbprint; jose takes no secret in a set at all. So a set that is made by hand needs the `kid`
# that the tokens have.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    joserfc==1.8.0 Authlib==1.9.10 python-jose==3.5.0 jwcrypto==1.6.1 cryptography==50.0.2
npm install --silent --no-audit --no-fund jose@6.2.18

cat >verify.py <<'PYTHON'
import json
import warnings

warnings.simplefilter("ignore")

from authlib.jose import JsonWebKey, jwt as authlib
from jose import jwt as python_jose
from joserfc import jwt as joserfc
from joserfc.jwk import KeySet
from jwcrypto import jwk, jwt as jwcrypto

made = {}
for kind, algorithm, key in [
    ("P-256", "ES256", jwk.JWK.generate(kty="EC", crv="P-256")),
    ("secret", "HS256", jwk.JWK.generate(kty="oct", size=256)),
]:
    kid = key.thumbprint() if kind == "P-256" else "another"
    header = {"alg": algorithm, "kid": kid}
    token = jwcrypto.JWT(header=header, claims={"sub": "ada"})
    token.make_signed_token(key)
    public = key.export(private_key=kind == "secret", as_dict=True)
    made[kind] = {"token": token.serialize(), "set": {"keys": [{n: v for n, v in public.items() if n != "kid"}]}}
with open("made.json", "w") as file:
    json.dump(made, file)


def with_jwcrypto(token, keys):
    key_set = jwk.JWKSet.from_json(json.dumps(keys))
    return json.loads(jwcrypto.JWT(jwt=token, key=key_set, expected_type="JWS").claims)


readers = {
    "python-jose": lambda token, keys: python_jose.decode(token, keys, algorithms=["ES256", "HS256"]),
    "joserfc": lambda token, keys: joserfc.decode(token, KeySet.import_key_set(keys)).claims,
    "Authlib": lambda token, keys: authlib.decode(token, JsonWebKey.import_key_set(keys)),
    "jwcrypto": with_jwcrypto,
}
for name, decode in readers.items():
    for kind, example in made.items():
        try:
            print(f"{name}, {kind}: accepts", decode(example["token"], example["set"])["sub"])
        except Exception as error:
            print(f"{name}, {kind}: {type(error).__name__}")
PYTHON

cat >verify.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, jwtVerify } from 'jose'

for (const [kind, { token, set }] of Object.entries(JSON.parse(readFileSync('made.json', 'utf8')))) {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(set))
    console.log(`jose, ${kind}: accepts`, payload.sub)
  } catch (error) {
    console.log(`jose, ${kind}: ${error.code}`)
  }
}
JAVASCRIPT

cat >verify.rb <<'RUBY'
require "json"
require "jwt"

JSON.parse(File.read("made.json")).each do |kind, made|
  claims, = JWT.decode(made["token"], nil, true, algorithms: ["ES256", "HS256"], jwks: made["set"])
  puts "ruby-jwt, #{kind}: accepts #{claims["sub"]}"
rescue JWT::DecodeError => error
  puts "ruby-jwt, #{kind}: #{error.message[/.*kid/]}"
end
RUBY

cat >verify.pl <<'PERL'
use v5.36;
use Crypt::JWT qw(decode_jwt);
use JSON::PP;

open my $file, '<', 'made.json';
my $made = decode_json(<$file>);
for my $kind (sort keys %$made) {
    my $claims = eval { decode_jwt(token => $made->{$kind}{token}, kid_keys => $made->{$kind}{set}) };
    say "Crypt::JWT, $kind: ", $claims ? "accepts $claims->{sub}" : $@ =~ s/ at .*//sr;
}
PERL

{
    venv/bin/python verify.py 2>/dev/null
    node verify.mjs
    ruby verify.rb
    perl verify.pl
} | tee verdicts.txt
dpkg-query -W -f '${Package} ${Version}\n' ruby-jwt libcrypt-jwt-perl

diff verdicts.txt - <<'EXPECTED'
python-jose, P-256: accepts ada
python-jose, secret: accepts ada
joserfc, P-256: accepts ada
joserfc, secret: InvalidKeyIdError
Authlib, P-256: ValueError
Authlib, secret: ValueError
jwcrypto, P-256: JWTMissingKey
jwcrypto, secret: JWTMissingKey
jose, P-256: ERR_JWKS_NO_MATCHING_KEY
jose, secret: ERR_JOSE_NOT_SUPPORTED
ruby-jwt, P-256: Could not find public key for kid
ruby-jwt, secret: Could not find public key for kid
Crypt::JWT, P-256: JWS: kid_keys lookup failed
Crypt::JWT, secret: JWS: kid_keys lookup failed
EXPECTED
echo "as stated: the only key of a set is not tried by five of seven libraries"
