#!/usr/bin/env bash
# A session that ends in 2099 has expired, if Prisma's own engine stored it and Prisma 7 asks: in one and the same
# column of SQLite, one writes milliseconds and the other text, and there a number is less than any text.
#
# Versions: npm prisma, @prisma/client and @prisma/adapter-libsql 7.10.0.
#
# | with the adapter's default, of rows stored before  | comes back                       |
# |----------------------------------------------------|----------------------------------|
# | `findMany()`                                       | both rows, each with its date    |
# | `expires: { lt: new Date() }`                      | the old row, which ends in 2099  |
# | `expires: { gt: new Date() }`                      | only the new row, of 2098        |
# | `expires: <exactly that date>`                     | nothing                          |
# | `orderBy: { expires: 'asc' }`                      | 2099 before 2098                 |
# | all of these with `timestampFormat: 'unixepoch-ms'` on old rows | what one expects    |
#
# One would expect a column of type DateTime to be compared as dates, whoever wrote it, or to be read wrongly at once;
# instead every row is read right and compared wrong, so tests that read pass. A clean-up,
# `deleteMany({ where: { expires: { lt: new Date() } } })`, deletes every session from before the upgrade. The
# documentation of the adapters says that `unixepoch-ms` is what Prisma's own engine stored, until version 6; their
# default is the other form. Whoever reads such a file with another program must expect both.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  prisma@7.10.0 @prisma/client@7.10.0 @prisma/adapter-libsql@7.10.0

cat >schema.prisma <<'PRISMA'
generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "sqlite"
}

model Session {
  id      String   @id
  expires DateTime
}
PRISMA
echo "export default { schema: 'schema.prisma', datasource: { url: 'file:./app.db' } }" >prisma.config.ts
# Making the client needs no engine; naming one keeps it from being downloaded.
PRISMA_SCHEMA_ENGINE_BINARY=/bin/true npx prisma generate >generate.log

cat >ask.mjs <<'JAVASCRIPT'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import prisma from '@prisma/client'

const open = (options) => new prisma.PrismaClient({ adapter: new PrismaLibSql({ url: 'file:./app.db' }, options) })
const before = open({ timestampFormat: 'unixepoch-ms' })
const now = open()
await before.$executeRawUnsafe('CREATE TABLE "Session" ("id" TEXT NOT NULL PRIMARY KEY, "expires" DATETIME NOT NULL)')
await before.session.create({ data: { id: 'old', expires: new Date('2099-01-01') } })

const ids = (rows) => rows.map((row) => row.id).join(' ') || '-'
async function ask(name, client) {
  const find = (query) => client.session.findMany(query)
  console.log(name, 'read', (await find()).map((row) => `${row.id} ${row.expires.getUTCFullYear()}`).join(' '))
  console.log(name, 'expired', ids(await find({ where: { expires: { lt: new Date() } } })))
  console.log(name, 'live', ids(await find({ where: { expires: { gt: new Date() } } })))
  console.log(name, 'equal', ids(await find({ where: { expires: new Date('2099-01-01') } })))
  console.log(name, 'order', ids(await find({ orderBy: { expires: 'asc' } })))
}
await ask('before', before)
await now.session.create({ data: { id: 'new', expires: new Date('2098-01-01') } })
await ask('now', now)
JAVASCRIPT

node ask.mjs | tee answers.txt

diff answers.txt - <<'EXPECTED'
before read old 2099
before expired -
before live old
before equal old
before order old
now read old 2099 new 2098
now expired old
now live new
now equal -
now order old new
EXPECTED
echo "as stated: dates of two forms in one column are read right and compared wrong"
