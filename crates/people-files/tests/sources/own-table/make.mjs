import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import bcrypt from 'bcryptjs'

const cast = JSON.parse(readFileSync('cast.json', 'utf8'))
const uuid = (text) => {
  const hex = createHash('sha1').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}
const text = (value) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`)

const rows = ['CREATE TABLE members (id TEXT PRIMARY KEY, mail TEXT, full_name TEXT, pw TEXT, team TEXT, grade TEXT,',
  ' boss TEXT, mail_ok INTEGER, active INTEGER, joined_at TEXT);']
const people = []
for (const person of cast) {
  const hash = person.password ? bcrypt.hashSync(person.password.right, 5) : '!'
  // Ruby, PHP and old C libraries write other letters for the same thing.
  const stored = { bob: hash.replace('$2b$', '$2y$'), cy: hash.replace('$2b$', '$2a$') }[person.key] ?? hash
  const grade = { admin: 'Owner', manager: 'Lead', employee: 'Member' }[person.organizations.acme] ?? null
  const boss = person.manager ? uuid(person.manager) : null
  const values = [uuid(person.key), person.email, person.name, stored, grade ? 'Acme' : null, grade, boss]
  const numbers = [Number(person.verified), Number(!person.disabled)]
  rows.push(`INSERT INTO members VALUES (${values.map(text)}, ${numbers}, ${text(person.created)});`)
  const membership = { organization: 'Acme', role: person.organizations.acme }
  if (boss) membership.manager = { by: 'external_id', value: boss }
  people.push({ key: person.key, external_id: uuid(person.key), memberships: grade ? [membership] : [] })
}
writeFileSync('rows.sql', rows.join('\n'))
console.log(JSON.stringify({ inputs: [{ file: 'members.csv' }], options: ['--map', 'members.toml'], people }))
