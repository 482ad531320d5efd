import { readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import bcrypt from 'bcryptjs'

const cast = JSON.parse(readFileSync('cast.json', 'utf8'))
const connection = 'Username-Password-Authentication'
const objectId = (text) => createHash('sha1').update(text).digest('hex').slice(0, 24)
const milliseconds = (date) => date.replace('Z', '.123Z')

const users = []
const hashes = []
const imported = []
const people = []
for (const person of cast) {
  // It folds the case of addresses in one connection.
  if (person.key === 'ada-again') continue
  const oid = objectId(person.email)
  // Emmy came with an import of her own id, which stands in `alt_id` of the hashes.
  const own = person.key === 'emmy' ? 'emmy-of-the-old-system' : undefined
  const local = person.password ? `auth0|${own ?? oid}` : null
  const slack = person.slack ? `oauth2|sign-in-with-slack|${person.slack.user}` : null
  const identities = []
  if (local) identities.push({ provider: 'auth0', user_id: own ?? oid, connection, isSocial: false })
  if (slack) {
    const user_id = `sign-in-with-slack|${person.slack.user}`
    identities.push({ provider: 'oauth2', user_id, connection: 'sign-in-with-slack', isSocial: true })
  }
  users.push({
    user_id: local ?? slack,
    email: person.email,
    email_verified: person.verified,
    ...(person.name ? { name: person.name, given_name: person.first, family_name: person.last } : { name: person.email }),
    nickname: person.key,
    created_at: milliseconds(person.created),
    updated_at: milliseconds(person.created),
    ...(person.disabled ? { blocked: true } : {}),
    identities,
  })
  const hash = person.password ? bcrypt.hashSync(person.password.right, 10) : null
  if (hash) {
    hashes.push({
      _id: { $oid: oid },
      ...(own ? { alt_id: own } : {}),
      // Newer rows have address and verification in `identifiers` only.
      ...(person.key === 'cy'
        ? { identifiers: [{ type: 'email', value: person.email, verified: person.verified }] }
        : { email_verified: person.verified, email: person.email }),
      passwordHash: hash,
      password_set_date: { $date: milliseconds(person.created) },
      tenant: 'acme',
      connection,
      _tmp_is_unique: true,
    })
  }
  imported.push({
    user_id: own ?? oid,
    email: person.email,
    email_verified: person.verified,
    ...(person.name ? { name: person.name, given_name: person.first, family_name: person.last } : {}),
    ...(person.disabled ? { blocked: true } : {}),
    ...(hash ? { password_hash: hash } : {}),
    ...(person.totp ? { mfa_factors: [{ totp: { secret: person.totp } }] } : {}),
  })
  people.push({
    key: person.key,
    external_id: local ?? slack,
    created: milliseconds(person.created),
    // Without a name of their own, people are called by their address there.
    name: person.name ?? person.email,
  })
}
const lines = (rows) => rows.map((row) => JSON.stringify(row) + '\n').join('')
writeFileSync('users.ndjson', lines(users))
writeFileSync('hashes.ndjson', lines(hashes))
writeFileSync('import.json', JSON.stringify(imported, null, 1) + '\n')
const inImport = people
  .map(({ key }, index) => ({
    key,
    external_id: imported[index].user_id,
    created: null,
    totp: cast.find((person) => person.key === key).totp ?? null,
  }))
writeFileSync('held-import.json', JSON.stringify({ inputs: [{ file: 'import.json' }], people: inImport }))
console.log(JSON.stringify({ inputs: [{ file: 'users.ndjson.gz', with: { hashes: 'hashes.ndjson' } }], people }))
