#!/usr/bin/env bash
# The reader of RateLimit headers that the makers of express-rate-limit publish does not read what express-rate-limit
# sends in its newest form: every number is NaN and the reset an invalid date, without an error.
#
# Versions: npm express-rate-limit 8.7.5, ratelimit-header-parser 0.1.0 (its newest), express 5.3.0.
#
# | standardHeaders | header on the 429                        | parseRateLimit: limit, remaining, reset |
# |-----------------|------------------------------------------|-----------------------------------------|
# | draft-6         | ratelimit-limit: 2, …-remaining: 0, …    | 2, 0, a date                            |
# | draft-7         | ratelimit: limit=2, remaining=0, reset=… | 2, 0, a date                            |
# | draft-8         | ratelimit: "2-in-1min"; r=0; t=60        | NaN, NaN, Invalid Date                  |
#
# One would expect numbers, or `undefined`, which the reader returns where it finds no header. `NaN` passes the usual
# check for a missing value, and `setTimeout(again, reset - Date.now())` with it fires at once, so that a client which
# waits "until reset" repeats its request without a pause. From draft-8 on the header is a list of structured fields
# (RFC 9651) with `r` and `t`; `Retry-After` is sent in all forms and is the number to wait for.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund \
  express@5.3.0 express-rate-limit@8.7.5 ratelimit-header-parser@0.1.0

cat >read.mjs <<'JAVASCRIPT'
import { once } from 'node:events'
import express from 'express'
import rateLimit from 'express-rate-limit'
import { parseRateLimit } from 'ratelimit-header-parser'

for (const standardHeaders of ['draft-6', 'draft-7', 'draft-8']) {
  const app = express()
  app.use(rateLimit({ windowMs: 60_000, limit: 2, standardHeaders, legacyHeaders: false }))
  app.get('/', (_, response) => response.send('ok'))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  let response
  for (let call = 0; call < 3; call += 1) {
    response = await fetch(`http://127.0.0.1:${server.address().port}/`)
  }
  const { limit, remaining, reset } = parseRateLimit(response)
  const when = Number.isNaN(reset.getTime()) ? 'Invalid Date' : 'a date'
  console.log(standardHeaders, response.status, limit, remaining, when)
  server.close()
}
JAVASCRIPT
node read.mjs | tee read.txt

diff read.txt - <<'EXPECTED'
draft-6 429 2 0 a date
draft-7 429 2 0 a date
draft-8 429 NaN NaN Invalid Date
EXPECTED
