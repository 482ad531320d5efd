import { readFileSync, writeFileSync } from 'node:fs'
import Database from 'libsql'
import { SqliteDialect } from 'kysely'
import { betterAuth } from 'better-auth'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { getMigrations } from 'better-auth/db/migration'
import { admin, organization, twoFactor } from 'better-auth/plugins'
import { createClient } from '@libsql/client'
import { is } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { URI } from 'otpauth'

function groupBy(items, key) {
  const groups = Object.create(null)
  for (const item of items) (groups[key(item)] ??= []).push(item)
  return groups
}

const cast = JSON.parse(readFileSync('cast.json', 'utf8'))
const secret = 'synthetic-better-auth-secret-0123456789abcdef'
const options = {
  secret,
  baseURL: 'http://127.0.0.1:3000',
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  plugins: [organization(), twoFactor({ issuer: 'Acme' }), admin()],
}

// With its own tables, or with those that its command line writes for Drizzle, whose columns have other names.
const [which] = process.argv.slice(2)
const file = `${which}.sqlite`
let database
if (which === 'drizzle') {
  Object.groupBy ??= groupBy // Of Node.js 21, which the command line needs.
  const { generateDrizzleSchema } = await import('auth/api')
  const adapter = drizzleAdapter({}, { provider: 'sqlite', schema: {} })(options)
  const { code } = await generateDrizzleSchema({ adapter, options, file: 'schema.mjs' })
  writeFileSync('schema.mjs', code)
  const schema = await import('./schema.mjs')
  const client = createClient({ url: `file:${file}` })
  for (const table of Object.values(schema)) {
    if (!is(table, SQLiteTable)) continue
    const { name, columns } = getTableConfig(table)
    const lines = columns.map((column) => `"${column.name}" ${column.getSQLType()}`)
    await client.execute(`CREATE TABLE "${name}" (${lines.join(', ')})`)
  }
  database = drizzleAdapter(drizzle(client, { schema }), { provider: 'sqlite', schema })
} else {
  database = { dialect: new SqliteDialect({ database: new Database(file) }), type: 'sqlite' }
}

const auth = betterAuth({ ...options, database })
if (which !== 'drizzle') await (await getMigrations(auth.options)).runMigrations()
const { internalAdapter } = await auth.$context

const ids = {}
const signedIn = {}
for (const person of cast) {
  // It folds the case of addresses, so the second Ada cannot exist here.
  if (person.key === 'ada-again') continue
  if (person.password) {
    const { headers, response } = await auth.api.signUpEmail({
      body: { name: person.name, email: person.email, password: person.password.right },
      returnHeaders: true,
    })
    ids[person.key] = response.user.id
    signedIn[person.key] = new Headers({ cookie: headers.getSetCookie().map((line) => line.split(';')[0]).join('; ') })
  } else {
    const user = await internalAdapter.createUser({ name: '', email: person.email, emailVerified: false })
    ids[person.key] = user.id
  }
  if (person.slack) {
    const claims = { 'https://slack.com/team_id': person.slack.team, 'https://slack.com/user_id': person.slack.user }
    await internalAdapter.linkAccount({
      userId: ids[person.key],
      providerId: 'slack',
      accountId: person.slack.user,
      idToken: ['{"alg":"RS256"}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.'),
    })
  }
}

const folded = { admin: 'owner', manager: 'admin,member', employee: 'member' }
for (const slug of ['acme', 'globex']) {
  const members = cast.filter((person) => person.organizations[slug])
  const founder = members.find((person) => person.organizations[slug] === 'admin')
  const organization = await auth.api.createOrganization({
    body: { name: `${slug[0].toUpperCase()}${slug.slice(1)} Ltd.`, slug, userId: ids[founder.key] },
  })
  for (const person of members) {
    if (person === founder) continue
    const body = { userId: ids[person.key], organizationId: organization.id, role: folded[person.organizations[slug]].split(',') }
    await auth.api.addMember({ body })
  }
}

// Ada confirms her code; Emmy scans the picture and never confirms.
const ada = cast.find(({ key }) => key === 'ada')
const emmy = cast.find(({ key }) => key === 'emmy')
const enabled = await auth.api.enableTwoFactor({ body: { password: ada.password.right }, headers: signedIn.ada })
const totp = URI.parse(enabled.totpURI)
await auth.api.verifyTOTP({ body: { code: totp.generate() }, headers: signedIn.ada })
await auth.api.enableTwoFactor({ body: { password: emmy.password.right }, headers: signedIn.emmy })

for (const person of cast) {
  if (!ids[person.key]) continue
  await internalAdapter.updateUser(ids[person.key], {
    createdAt: new Date(person.created),
    emailVerified: person.verified,
    banned: person.disabled,
  })
}

const people = Object.keys(ids).map((key) => {
  const person = cast.find((one) => one.key === key)
  const role = { admin: 'admin', manager: 'admin', employee: 'employee' }
  return {
    key,
    external_id: ids[key],
    memberships: Object.entries(person.organizations).map(([organization, held]) => ({ organization, role: role[held] })),
    slack: person.slack ? [person.slack] : [],
    ...(key === 'ada' ? { totp: totp.secret.base32, recovery_codes: enabled.backupCodes } : {}),
  }
})
const tables = { account: 'account.json', member: 'member.json', organization: 'organization.json', twoFactor: 'twoFactor.json' }
const inputs = which === 'drizzle' ? [{ file }] : [{ file }, { file: 'user.json', with: tables }]
console.log(JSON.stringify({ inputs, environment: { HALLPASS_IMPORT_PEPPER_BETTER_AUTH: secret }, people }))
