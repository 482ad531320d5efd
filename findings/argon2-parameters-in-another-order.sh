#!/usr/bin/env bash
# A hash of npm's `argon2` is refused by everything built on the reference implementation, because its parameters
# stand in another order: `m=…,p=…,t=…`. Django and PHP do not even say so: the password is wrong.
#
# Versions: npm argon2 0.45.1, @node-rs/argon2 2.2.1, hash-wasm 4.12.0; PyPI argon2-cffi 25.1.0, passlib 1.7.4,
# pwdlib 0.3.1, Django 5.2.19.
#
# | verifies `$argon2id$v=19$m=8192,p=1,t=3$…`   | says                                            |
# |----------------------------------------------|-------------------------------------------------|
# | npm argon2, @node-rs/argon2, hash-wasm       | right                                           |
# | argon2-cffi                                  | VerificationError: Decoding failed              |
# | passlib                                      | ValueError: malformed argon2 hash               |
# | pwdlib                                       | UnknownHashError                                |
# | Django                                       | wrong password                                  |
# | the same hash with `m=8192,t=3,p=1`, by all  | right                                           |
#
# One would expect that `name=value` pairs can stand in any order, or that whoever writes them keeps to the order that
# the PHC string format demands of producers (m, t, p), and that the reference implementation alone reads. So moving
# from Node.js to Python or PHP needs the parameters put in order first; nothing is lost by it, since their order is no
# part of what is hashed. (Debian's PHP 8.2.36, not run here, answers `password_verify` with false, and
# `password_get_info` with the default time cost instead of the hash's.)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  argon2-cffi==25.1.0 passlib==1.7.4 pwdlib==0.3.1 django==5.2.19
npm install --silent --no-audit --no-fund argon2@0.45.1 @node-rs/argon2@2.2.1 hash-wasm@4.12.0

cat >make.mjs <<'JAVASCRIPT'
import { writeFileSync } from 'node:fs'
import argon2 from 'argon2'
import { verify } from '@node-rs/argon2'
import { argon2Verify } from 'hash-wasm'

const password = 'correct horse'
const hash = await argon2.hash(password, { memoryCost: 8192, timeCost: 3, parallelism: 1 })
console.log('parameters', hash.split('$')[3])
const ordered = hash.replace('m=8192,p=1,t=3', 'm=8192,t=3,p=1')
writeFileSync('hashes.json', JSON.stringify({ 'as written': hash, ordered }))
for (const [name, text] of Object.entries({ 'as written': hash, ordered })) {
  console.log(name, 'argon2', await argon2.verify(text, password))
  console.log(name, '@node-rs/argon2', await verify(text, password))
  console.log(name, 'hash-wasm', await argon2Verify({ password, hash: text }))
}
JAVASCRIPT

cat >verify.py <<'PYTHON'
import json

import argon2
import django
import passlib.hash
import pwdlib
from django.conf import settings
from pwdlib.hashers.argon2 import Argon2Hasher

settings.configure(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])
django.setup()
from django.contrib.auth.hashers import check_password

PASSWORD = "correct horse"
VERIFIERS = {
    "argon2-cffi": lambda text: argon2.PasswordHasher().verify(text, PASSWORD),
    "passlib": lambda text: passlib.hash.argon2.verify(PASSWORD, text),
    "pwdlib": lambda text: pwdlib.PasswordHash((Argon2Hasher(),)).verify(PASSWORD, text),
    "django": lambda text: check_password(PASSWORD, "argon2" + text),
}
for name, text in json.load(open("hashes.json")).items():
    for verifier, verify in VERIFIERS.items():
        try:
            print(name, verifier, "true" if verify(text) else "false")
        except Exception as error:
            print(name, verifier, type(error).__name__)
PYTHON

{ node make.mjs; venv/bin/python -W ignore verify.py; } | tee verified.txt

diff verified.txt - <<'EXPECTED'
parameters m=8192,p=1,t=3
as written argon2 true
as written @node-rs/argon2 true
as written hash-wasm true
ordered argon2 true
ordered @node-rs/argon2 true
ordered hash-wasm true
as written argon2-cffi VerificationError
as written passlib ValueError
as written pwdlib UnknownHashError
as written django false
ordered argon2-cffi true
ordered passlib true
ordered pwdlib true
ordered django true
EXPECTED
echo "as stated: hashes of npm's argon2 verify elsewhere only after their parameters are put in order"
