import { readFileSync } from 'node:fs'
import { PrismaAdapter } from '@next-auth/prisma-adapter'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import prismaClient from '@prisma/client'
import bcrypt from 'bcryptjs'

const cast = JSON.parse(readFileSync('cast.json', 'utf8'))
const [file, timestampFormat] = process.argv.slice(2)
const sqlite = new PrismaLibSql({ url: `file:./${file}` }, { timestampFormat })
const prisma = new prismaClient.PrismaClient({ adapter: sqlite })
const adapter = PrismaAdapter(prisma)

const held = []
for (const [index, person] of cast.entries()) {
  const verified = new Date(Date.parse(person.created) + 60_000)
  const { id } = await adapter.createUser({
    id: `clrx000${index}000008l4abcdefgh`,
    name: person.name,
    email: person.email,
    emailVerified: person.verified ? verified : null,
    image: null,
  })
  const password = person.password ? bcrypt.hashSync(person.password.right, 5) : null
  await prisma.user.update({ where: { id }, data: { password, createdAt: new Date(person.created) } })
  if (person.slack) {
    const claims = { 'https://slack.com/team_id': person.slack.team, 'https://slack.com/user_id': person.slack.user }
    await adapter.linkAccount({
      userId: id,
      type: 'oauth',
      provider: 'slack',
      providerAccountId: person.slack.user,
      access_token: 'xoxp-synthetic',
      token_type: 'Bearer',
      id_token: ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.'),
    })
  }
  // Its schema has no column for people who were disabled, and none for organizations.
  held.push({ key: person.key, external_id: id, disabled: false, slack: person.slack ? [person.slack] : [] })
}
// What a sign-in with the strategy `database` leaves, to be exchanged.
await adapter.createSession({
  sessionToken: '0c7d1f9e-5d1c-4a3e-9a51-2b7a1f0c9d11',
  userId: held[0].external_id,
  expires: new Date('2030-01-01T00:00:00Z'),
})
await prisma.$disconnect()

const inputs = [
  { file: 'app.sqlite' },
  { file: 'app-before-7.sqlite' },
  { file: 'mapped.sqlite' },
  { file: 'User.json', with: { Account: 'Account.json' } },
  { file: 'User.csv', with: { Account: 'Account.csv' } },
]
console.log(JSON.stringify({ inputs, people: held }))
