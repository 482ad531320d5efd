#!/usr/bin/env bash
# A good token, signed by a key that is in the key set (JWKS), is refused by two of the most used readers for thirty
# seconds, because they have just read the set; and ruby-jwt reads the set for every token.
#
# Versions: npm jose 6.2.18, jwks-rsa 4.1.0 with jsonwebtoken 9.0.3; PyPI PyJWT 2.15.1; Debian 12's ruby-jwt 2.5.0.
#
# |                                     | requests for 50 tokens | the first token of a key added since           |
# |-------------------------------------|------------------------|------------------------------------------------|
# | jose `createRemoteJWKSet`           | 1                      | refused, ERR_JWKS_NO_MATCHING_KEY, for 30 s    |
# | PyJWT `PyJWKClient`                 | 1                      | refused, PyJWKClientError, for 30 s            |
# | jwks-rsa, also with `rateLimit`     | 1                      | accepted, after another request                |
# | ruby-jwt `jwks:` with a lambda      | 50                     | accepted                                       |
#
# One would expect that an unknown `kid` makes a reader look again before it refuses a token, and that one which tells
# its lambda `kid_not_found` keeps the set until then. The pause counts from each read, so a service that starts while
# keys are changed meets it. An issuer has to publish a key long before it signs with it; with ruby-jwt the lambda has
# to keep the set. This takes a good minute, for the two pauses.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check PyJWT==2.15.1 cryptography==50.0.2
npm install --silent --no-audit --no-fund jose@6.2.18 jsonwebtoken@9.0.3 jwks-rsa@4.1.0

# Serves a key set, counts the requests, and adds a key at the path /add/NAME; runs the readers.
cat >readers.mjs <<'JAVASCRIPT'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'

const makeKey = async () => {
  const { publicKey, privateKey } = await jose.generateKeyPair('ES256')
  const jwk = { ...(await jose.exportJWK(publicKey)), alg: 'ES256', use: 'sig' }
  jwk.kid = await jose.calculateJwkThumbprint(jwk)
  const token = await new jose.SignJWT({ sub: 'ada' })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid })
    .setExpirationTime('1h')
    .sign(privateKey)
  return { jwk, token }
}
const [old, added] = [await makeKey(), await makeKey()]
writeFileSync('tokens.json', JSON.stringify([old.token, added.token]))

let requests, keys
const add = (name) => {
  console.log(`${name}: ${requests} for 50 tokens`)
  keys = [old.jwk, added.jwk]
}
const server = createServer((request, response) => {
  if (request.url === '/jwks') requests += 1
  else add(request.url.slice('/add/'.length))
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ keys }))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/jwks`

const withJwksRsa = (options) => {
  const client = jwksClient({ jwksUri: url, ...options })
  return async (token) => {
    const { kid } = jsonwebtoken.decode(token, { complete: true }).header
    const key = await client.getSigningKey(kid)
    return jsonwebtoken.verify(token, key.getPublicKey(), { algorithms: ['ES256'] })
  }
}
const readers = {
  jose: () => {
    const set = jose.createRemoteJWKSet(new URL(url))
    return (token) => jose.jwtVerify(token, set)
  },
  'jwks-rsa': () => withJwksRsa({}),
  'jwks-rsa, rateLimit': () => withJwksRsa({ rateLimit: true }),
}
for (const [name, make] of Object.entries(readers)) {
  requests = 0
  keys = [old.jwk]
  const verify = make()
  for (let i = 0; i < 50; i += 1) await verify(old.token)
  add(name)
  try {
    await verify(added.token)
  } catch (error) {
    console.log(`${name}: refused, ${error.code}`)
    await setTimeout(31_000)
    await verify(added.token)
  }
  console.log(`${name}: new key accepted`)
}
for (const command of [['venv/bin/python', 'reader.py'], ['ruby', 'reader.rb']]) {
  requests = 0
  keys = [old.jwk]
  const { stdout } = await promisify(execFile)(command[0], [command[1], url])
  process.stdout.write(stdout)
}
server.closeAllConnections()
server.close()
JAVASCRIPT

cat >reader.py <<'PYTHON'
import json
import sys
import time
import urllib.request

import jwt

url = sys.argv[1]
old, added = json.load(open("tokens.json"))
keys = jwt.PyJWKClient(url)
for _ in range(50):
    jwt.decode(old, keys.get_signing_key_from_jwt(old), algorithms=["ES256"])
urllib.request.urlopen(url.replace("jwks", "add/PyJWT")).read()
try:
    keys.get_signing_key_from_jwt(added)
except jwt.PyJWTError as error:
    print("PyJWT: refused,", type(error).__name__)
    time.sleep(31)
    keys.get_signing_key_from_jwt(added)
print("PyJWT: new key accepted")
PYTHON

cat >reader.rb <<'RUBY'
require "json"
require "jwt"
require "net/http"

url = ARGV[0]
old, added = JSON.parse(File.read("tokens.json"))
load = ->(_options) { JSON.parse(Net::HTTP.get(URI(url))) }
50.times { JWT.decode(old, nil, true, algorithm: "ES256", jwks: load) }
Net::HTTP.get(URI(url.sub("jwks", "add/ruby-jwt")))
JWT.decode(added, nil, true, algorithm: "ES256", jwks: load)
puts "ruby-jwt: new key accepted"
RUBY

node readers.mjs | tee verdicts.txt
dpkg-query -W -f '${Package} ${Version}\n' ruby-jwt

diff verdicts.txt - <<'EXPECTED'
jose: 1 for 50 tokens
jose: refused, ERR_JWKS_NO_MATCHING_KEY
jose: new key accepted
jwks-rsa: 1 for 50 tokens
jwks-rsa: new key accepted
jwks-rsa, rateLimit: 1 for 50 tokens
jwks-rsa, rateLimit: new key accepted
PyJWT: 1 for 50 tokens
PyJWT: refused, PyJWKClientError
PyJWT: new key accepted
ruby-jwt: 50 for 50 tokens
ruby-jwt: new key accepted
EXPECTED
echo "as stated: two readers refuse a good token of a new key, one asks with every token"
