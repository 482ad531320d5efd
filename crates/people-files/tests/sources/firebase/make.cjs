const { createHash } = require('node:crypto')
const { createWriteStream, readFileSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { once } = require('node:events')
const { FirebaseScrypt } = require('firebase-scrypt')

const cast = JSON.parse(readFileSync('cast.json', 'utf8'))
const project = {
  memCost: 14,
  rounds: 8,
  saltSeparator: 'Bw==',
  signerKey: Buffer.from(Array.from({ length: 64 }, (_, index) => 255 - index)).toString('base64'),
}
const urlSafe = (base64) => base64.replaceAll('+', '-').replaceAll('/', '_')

async function accounts() {
  const scrypt = new FirebaseScrypt(project)
  const users = []
  for (const person of cast) {
    // An address is unique in a project, and kept in lower case.
    if (person.key === 'ada-again') continue
    const localId = createHash('sha256').update(person.email).digest('base64').replace(/[+/=]/g, '').slice(0, 28)
    const user = {
      localId,
      email: person.email,
      emailVerified: person.verified,
      displayName: person.name ?? undefined,
      createdAt: String(Date.parse(person.created)),
      lastLoginAt: String(Date.parse(person.created) + 3_600_000),
      providerUserInfo: [],
      validSince: String(Date.parse(person.created) / 1000),
    }
    if (person.disabled) user.disabled = true
    if (person.password) {
      const salt = createHash('sha256').update(`salt of ${person.email}`).digest().subarray(0, 12).toString('base64')
      user.salt = urlSafe(salt)
      user.passwordHash = urlSafe(await scrypt.hash(person.password.right, salt))
      // A number that the export asks for: any other, and it leaves the hash out without a word.
      user.version = person.key === 'emmy' ? 1 : 0
      user.providerUserInfo.push({ providerId: 'password', email: person.email, rawId: person.email, federatedId: person.email })
    }
    if (person.slack) {
      user.providerUserInfo.push({ providerId: 'oidc.slack', rawId: person.slack.user, email: person.email })
    }
    if (person.key === 'ada') {
      user.customAttributes = '{"role":"admin"}'
      user.providerUserInfo.push({ providerId: 'google.com', rawId: '1122', email: person.email, displayName: person.name })
    }
    users.push(user)
  }
  // Somebody who never said who they are.
  users.push({ localId: 'anonymous0000000000000000000', createdAt: '1719792000000', validSince: '1719792000' })
  return users
}

async function main() {
  const users = await accounts()
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    request.resume().on('end', () => response.end(JSON.stringify({ users })))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env.FIREBASE_TOKEN_URL = `http://127.0.0.1:${server.address().port}`
  require('firebase-tools/lib/apiv2').setAccessToken('synthetic')
  const { serialExportUsers, validateOptions } = require('firebase-tools/lib/accountExporter')
  // As lib/commands/auth-export.js does it.
  for (const file of ['users.json', 'users.csv']) {
    const { format } = validateOptions({}, file)
    const writeStream = createWriteStream(file)
    if (format === 'json') writeStream.write('{"users": [\n')
    await serialExportUsers('acme', { format, writeStream, batchSize: 1000 })
    if (format === 'json') writeStream.write(']}')
    writeStream.end()
    await once(writeStream, 'close')
  }
  server.close()
  const people = users.filter((user) => user.email).map((user) => {
    const { key } = cast.find((person) => person.email === user.email)
    return { key, external_id: user.localId, ...(key === 'emmy' ? { password: null } : {}) }
  })
  const refused = [{ external_id: 'anonymous0000000000000000000', code: 'no_email' }]
  const inputs = [{ file: 'users.json' }, { file: 'users.csv' }]
  const { signerKey, saltSeparator, rounds, memCost } = project
  const values = { signer_key: signerKey, salt_separator: saltSeparator, rounds, mem_cost: memCost }
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
  writeFileSync('project.toml', `\n[password.project]\n${lines.join('')}`)
  console.log(JSON.stringify({ inputs, options: ['--map', 'acme.toml'], people, refused }))
}

main()
