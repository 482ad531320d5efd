#!/usr/bin/env bash
# `firebase auth:export` succeeds, says "Exported 5 account(s)", and has left out hashes and links to providers. Its CSV
# cannot be read by the library with which `auth:import` reads it, once a custom claim has a quote in it.
#
# Versions: npm firebase-tools 15.34.2, csv-parse 7.0.1, papaparse 5.5.4; Python's csv.
#
# | account                                        | in the export                                         |
# |------------------------------------------------|-------------------------------------------------------|
# | its hash has `version` 0                       | the hash                                              |
# | its hash has another `version`, or none        | no hash, no salt                                      |
# | came by OIDC or SAML, such as `oidc.slack`     | without that provider, in JSON as well as in CSV      |
# | claim `{"team":"the \"A\" team, 1"}`, as CSV   | csv-parse: refused; Python: 54 columns instead of 53; |
# |                                                | papaparse: whole, with two errors                     |
#
# One would expect that what is left out is at least counted, and that a quote in a CSV cell is doubled (RFC 4180): the
# exporter doubles it except after a backslash, where JSON has it. So whoever moves away compares the number of hashes
# with that of people who have a password, gets links to other providers by the API, and takes the JSON.
#
# The exporter's own code runs, as `lib/commands/auth-export.js` calls it, with a server on this machine in the place of
# Google's.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts firebase-tools@15.34.2
npm install --silent --no-audit --no-fund --ignore-scripts csv-parse@7.0.1 papaparse@5.5.4

cat >export.cjs <<'JAVASCRIPT'
const { createWriteStream } = require('node:fs')
const { createServer } = require('node:http')
const { once } = require('node:events')
const { format: { printf }, transports: { Console } } = require('winston')

const hashed = { passwordHash: 'aGFzaA', salt: 'c2FsdA' }
const users = [
  { localId: 'ada', ...hashed, version: 0 },
  { localId: 'bob', ...hashed, version: 1 },
  { localId: 'cy', ...hashed },
  { localId: 'dee', providerUserInfo: ['oidc.slack', 'google.com'].map((providerId) => ({ providerId, rawId: '1' })) },
  { localId: 'emmy', customAttributes: JSON.stringify({ team: 'the "A" team, 1' }) },
]

async function main() {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    request.resume().on('end', () => response.end(JSON.stringify({ users })))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env.FIREBASE_TOKEN_URL = `http://127.0.0.1:${server.address().port}`
  const { logger } = require('firebase-tools/lib/logger')
  // Like bin/firebase.js, which prints what follows the message, too.
  const format = printf((info) => [info.message, ...(info[Symbol.for('splat')] ?? [])].join(' '))
  logger.add(new Console({ format }))
  require('firebase-tools/lib/apiv2').setAccessToken('synthetic')
  const { serialExportUsers } = require('firebase-tools/lib/accountExporter')
  for (const format of ['json', 'csv']) {
    const writeStream = createWriteStream(`users.${format}`)
    if (format === 'json') writeStream.write('{"users": [')
    await serialExportUsers('acme', { format, writeStream, batchSize: 1000 })
    if (format === 'json') writeStream.write(']}')
    writeStream.end()
    await once(writeStream, 'close')
  }
  server.close()
}

main()
JAVASCRIPT

cat >read.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import Papa from 'papaparse'

for (const user of JSON.parse(readFileSync('users.json', 'utf8')).users) {
  const providers = user.providerUserInfo?.map((provider) => provider.providerId).join(' ') ?? '-'
  console.log('json', user.localId, user.passwordHash ? 'hash' : '-', providers)
}
const csv = readFileSync('users.csv', 'utf8').trim()
try {
  console.log('csv-parse', parse(csv).length)
} catch (error) {
  console.log('csv-parse', error.code)
}
const { data, errors } = Papa.parse(csv)
console.log('papaparse', ...data.map((row) => row.length), data.at(-1)[27], errors.length, 'errors')
JAVASCRIPT

cat >read.py <<'PYTHON'
import csv

rows = list(csv.reader(open("users.csv", newline="")))
print("python", *map(len, rows), rows[-1][27])
PYTHON

node export.cjs 2>&1 | sed 's/\x1b\[[0-9;]*m//g' | grep -o 'Exported.*successfully.' | tee read.txt
{ node read.mjs; python3 read.py; } | tee -a read.txt

diff read.txt - <<'EXPECTED'
Exported 5 account(s) successfully.
Exported 5 account(s) successfully.
json ada hash -
json bob - -
json cy - -
json dee - google.com
json emmy - -
csv-parse CSV_INVALID_CLOSING_QUOTE
papaparse 53 53 53 53 53 {"team":"the \"A\" team, 1"} 2 errors
python 53 53 53 53 54 {"team":"the \A\" team
EXPECTED
echo "as stated: an export that succeeds is not whole"
