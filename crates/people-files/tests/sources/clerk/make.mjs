import { createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { stringify } from 'csv-stringify/sync'
import bcrypt from 'bcryptjs'
import argon2 from 'argon2'

const cast = JSON.parse(readFileSync('cast.json', 'utf8'))
const salt = randomBytes(12).toString('base64').replaceAll('/', '.').replaceAll('+', '-').slice(0, 16)
const saltBytes = randomBytes(16)

// Each hasher of the documentation that stands for a trap: the name decides what the same text means.
const digests = {
  ada: async (password) => ['bcrypt', bcrypt.hashSync(password, 5)],
  // Text salt.
  bob: async (password) => [
    'pbkdf2_sha256_django',
    `pbkdf2_sha256$1000$${salt}$${pbkdf2Sync(password, salt, 1000, 32, 'sha256').toString('base64')}`,
  ],
  // The same shape, but the salt is base64.
  cy: async (password) => [
    'pbkdf2_sha256',
    `pbkdf2_sha256$1000$${saltBytes.toString('base64')}$${pbkdf2Sync(password, saltBytes, 1000, 32, 'sha256').toString('base64')}`,
  ],
  emmy: async (password) => ['argon2id', await argon2.hash(password, { memoryCost: 1024, timeCost: 2, parallelism: 1 })],
  'ada-again': async (password) => [
    'pbkdf2_sha1',
    `pbkdf2_sha1$1000$${saltBytes.toString('hex')}$${pbkdf2Sync(password, saltBytes, 1000, 32, 'sha1').toString('hex')}`,
  ],
}

const columns = [
  'id', 'first_name', 'last_name', 'username', 'primary_email_address', 'primary_phone_number',
  'verified_email_addresses', 'unverified_email_addresses', 'verified_phone_numbers', 'unverified_phone_numbers',
  'totp_secret', 'password_digest', 'password_hasher',
]
const rows = []
const people = []
for (const person of cast) {
  const [hasher, digest] = person.password ? await digests[person.key](person.password.right) : ['', '']
  const second = `${person.key}@old.example.com`
  const id = `user_2${createHash('sha256').update(person.key).digest('base64url').replace(/[-_]/g, 'x').slice(0, 26)}`
  rows.push({
    id,
    first_name: person.first,
    last_name: person.last,
    username: person.key,
    primary_email_address: person.email,
    // Ada has two verified addresses, Bob's only verified one is not his primary one.
    verified_email_addresses:
      person.key === 'ada' ? `${second},${person.email}` : person.key === 'bob' ? second : person.verified ? person.email : '',
    unverified_email_addresses: person.verified ? '' : person.email,
    totp_secret: person.totp,
    password_digest: digest,
    password_hasher: hasher,
  })
  // The file tells neither when somebody came nor whether they are banned.
  people.push({ key: person.key, external_id: id, created: null, disabled: false, totp: person.totp ?? null })
}
// Somebody with a phone number only.
rows.push({ id: 'user_2phoneonly000000000000000', first_name: 'Grace', primary_phone_number: '+41446681800', verified_phone_numbers: '+41446681800' })

writeFileSync(process.argv[2], stringify(rows, { header: true, columns }))
const refused = [{ external_id: 'user_2phoneonly000000000000000', code: 'no_email' }]
console.log(JSON.stringify({ inputs: [{ file: 'users.csv' }], people, refused }))
