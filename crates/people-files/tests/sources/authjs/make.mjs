import { readFileSync } from 'node:fs'
import { Auth, skipCSRFCheck } from '@auth/core'
import { DrizzleAdapter } from '@auth/drizzle-adapter'
import { createClient } from '@libsql/client'
import { drizzle } from 'drizzle-orm/libsql'
import bcrypt from 'bcryptjs'

const cast = JSON.parse(readFileSync('cast.json', 'utf8'))
const client = createClient({ url: 'file:app.sqlite' })
// The tables of https://authjs.dev/getting-started/adapters/drizzle for SQLite, and a column for passwords.
await client.executeMultiple(`
CREATE TABLE user (id text PRIMARY KEY, name text, email text UNIQUE, emailVerified integer, image text, password text);
CREATE TABLE account (userId text NOT NULL REFERENCES user(id) ON DELETE CASCADE, type text NOT NULL,
  provider text NOT NULL, providerAccountId text NOT NULL, refresh_token text, access_token text, expires_at integer,
  token_type text, scope text, id_token text, session_state text, PRIMARY KEY (provider, providerAccountId));
CREATE TABLE session (sessionToken text PRIMARY KEY, userId text NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  expires integer NOT NULL);
CREATE TABLE verificationToken (identifier text NOT NULL, token text NOT NULL, expires integer NOT NULL,
  PRIMARY KEY (identifier, token));
`)
const adapter = DrizzleAdapter(drizzle(client))
let letter
const config = {
  adapter,
  secret: 'synthetic-authjs-secret-0123456789abcdef',
  trustHost: true,
  skipCSRFCheck,
  basePath: '/api/auth',
  providers: [{ id: 'email', type: 'email', name: 'Email', maxAge: 600, sendVerificationRequest: ({ url }) => (letter = url) }],
}

async function signInByLetter(email) {
  const body = new URLSearchParams({ email })
  await Auth(new Request('http://127.0.0.1:3000/api/auth/signin/email', { method: 'POST', body }), config)
  await Auth(new Request(letter), config)
}

const people = []
for (const person of cast) {
  // It folds the case of addresses in letters, so the second Ada is the first.
  if (person.key === 'ada-again') continue
  if (person.verified) await signInByLetter(person.email)
  // Whoever comes from a provider is not verified, whatever the provider says.
  else await adapter.createUser({ id: crypto.randomUUID(), name: null, email: person.email, emailVerified: null, image: null })
  const user = await adapter.getUserByEmail(person.email)
  if (person.name) await adapter.updateUser({ id: user.id, name: person.name })
  if (person.password) {
    const hash = bcrypt.hashSync(person.password.right, 5)
    await client.execute({ sql: 'UPDATE user SET password = ? WHERE id = ?', args: [hash, user.id] })
  }
  if (person.slack) {
    const claims = { 'https://slack.com/team_id': person.slack.team, 'https://slack.com/user_id': person.slack.user }
    await adapter.linkAccount({
      userId: user.id,
      type: 'oidc',
      provider: 'slack',
      providerAccountId: person.slack.user,
      access_token: 'xoxp-synthetic',
      token_type: 'bearer',
      id_token: ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.'),
    })
  }
  // Its tables say neither when somebody came nor who was disabled.
  people.push({ key: person.key, external_id: user.id, created: null, disabled: false, slack: person.slack ? [person.slack] : [] })
}
const inputs = [
  { file: 'app.sqlite' },
  { file: 'user.json', with: { account: 'account.json' } },
  { file: 'user.csv', with: { account: 'account.csv' } },
]
console.log(JSON.stringify({ inputs, people }))
