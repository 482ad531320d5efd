#!/usr/bin/env bash
# NextAuth 4 and Auth.js 5 take every cookie whose name begins with that of the session cookie for a part of it. A
# cookie of a staging host, named with a suffix and set for the whole domain, signs people out of production.
#
# Versions: npm next-auth 4.24.15, @auth/core 0.41.3.
#
# | cookies that the browser sends           | next-auth, @auth/core                          |
# |------------------------------------------|------------------------------------------------|
# | the session cookie                       | signed in                                      |
# | its parts, `….0` and `….1`               | signed in                                      |
# | it, and one named `…-staging`            | signed out; @auth/core deletes both            |
# | it, and one named `….v2`                 | signed out                                     |
# | it, and parts that an older, longer one  | signed out, in whatever order they come        |
# | has left                                 |                                                |
#
# One would expect the name itself, or else the name, a dot and a number, and that one of the two wins. All that begin
# alike are sorted by what stands behind the last dot, joined, and then decrypted as one. So an own cookie needs a name
# with another beginning, not with another end, and whoever reads these cookies elsewhere must not do it alike.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps next-auth@4.24.15 @auth/core@0.41.3

cat >read.mjs <<'JAVASCRIPT'
import { createRequire } from 'node:module'
import { Auth } from '@auth/core'
import { encode, getToken } from '@auth/core/jwt'

const v4 = createRequire(import.meta.url)('next-auth/jwt')
const secret = 'synthetic-secret-0123456789abcdef0123456789'
const header = (cookies) => ({ cookie: Object.entries(cookies).map((pair) => pair.join('=')).join('; ') })
const libraries = {
  'next-auth': {
    name: 'next-auth.session-token',
    encode: (token) => v4.encode({ token, secret }),
    read: (cookies) => v4.getToken({ req: { cookies, headers: {} }, secret }),
  },
  '@auth/core': {
    name: 'authjs.session-token',
    encode: (token) => encode({ token, secret, salt: 'authjs.session-token' }),
    read: (cookies) => getToken({ req: new Request('http://127.0.0.1/', { headers: header(cookies) }), secret }),
  },
}

for (const [library, { name, encode, read }] of Object.entries(libraries)) {
  const long = await encode({ sub: 'ada', filler: 'x'.repeat(5000) })
  const parts = { [`${name}.0`]: long.slice(0, 3933), [`${name}.1`]: long.slice(3933) }
  const whole = { [name]: await encode({ sub: 'ada' }) }
  const browsers = {
    whole,
    parts,
    staging: { ...whole, [`${name}-staging`]: 'abc' },
    version: { ...whole, [`${name}.v2`]: 'abc' },
    'old parts first': { ...parts, ...whole },
    'old parts last': { ...whole, ...parts },
  }
  for (const [which, cookies] of Object.entries(browsers)) {
    console.log(library, which, (await read(cookies))?.sub ?? 'signed out')
  }
  if (library === '@auth/core') {
    const url = 'http://127.0.0.1/api/auth/session'
    const logger = { error() {}, warn() {}, debug() {} }
    const config = { secret, providers: [], trustHost: true, basePath: '/api/auth', useSecureCookies: false, logger }
    const answer = await Auth(new Request(url, { headers: header(browsers.staging) }), config)
    const deleted = answer.headers.getSetCookie().filter((line) => line.includes('Max-Age=0'))
    console.log('session', await answer.text(), 'deletes', deleted.map((line) => line.split('=')[0]).join(' '))
  }
}
JAVASCRIPT

node read.mjs | tee read.txt

diff read.txt - <<'EXPECTED'
next-auth whole ada
next-auth parts ada
next-auth staging signed out
next-auth version signed out
next-auth old parts first signed out
next-auth old parts last signed out
@auth/core whole ada
@auth/core parts ada
@auth/core staging signed out
@auth/core version signed out
@auth/core old parts first signed out
@auth/core old parts last signed out
session null deletes authjs.session-token authjs.session-token-staging
EXPECTED
echo "as stated: cookies that begin alike are joined, and nobody is signed in"
