/** The TypeScript client's calls about an organization, against the real service. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createHallpass, memoryStorage } from "../../clients/typescript/dist/index.js";
import * as organization from "../../clients/typescript/dist/organization.js";
import { startServer } from "./support.mjs";

let server;
let ada;
let me;

before(async () => {
  server = await startServer();
  ada = createHallpass({ baseUrl: server.url, storage: memoryStorage() });
  me = await ada.login({ email: "ada@example.com", password: "correct horse battery staple" });
});
after(async () => {
  ada.destroy();
  await server.close();
});

test("people are listed in pages, read and changed", async () => {
  const first = await organization.listUsers(ada, { limit: 3 });
  const rest = await organization.listUsers(ada, { limit: 3, cursor: first.nextCursor });
  assert.equal(rest.nextCursor, null);
  assert.equal(first.users.length + rest.users.length, 4);
  const { users: [alan] } = await organization.listUsers(ada, { q: "alan" });
  const changed = await organization.updateUser(ada, alan.id, { role: "manager" });
  assert.deepEqual(await organization.getUser(ada, alan.id), changed);
  assert.equal(changed.role, "manager");
});

test("an organization is read and its rules are changed", async () => {
  const before = await organization.getOrganization(ada, me.organizationId);
  const after = await organization.updateOrganization(ada, me.organizationId, { joinPolicy: "invite" });
  assert.deepEqual(after, { ...before, joinPolicy: "invite" });
});

test("people are invited, and invitations revoked", async () => {
  const invited = await organization.invite(ada, me.organizationId, { email: "maria@example.com", role: "manager" });
  assert.deepEqual(await organization.listInvitations(ada, me.organizationId), [invited]);
  await organization.revokeInvitation(ada, me.organizationId, invited.id);
  assert.deepEqual(await organization.listInvitations(ada, me.organizationId), []);
  await assert.rejects(organization.acceptInvitation(ada, "A".repeat(43)), { code: "invalid_or_expired_token" });
});

test("an API token is created, used and revoked", async () => {
  const { token, ...made } = await organization.createApiToken(ada, { name: "nightly export" });
  const asks = () => fetch(`${server.url}/api/users`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await asks()).status, 200);
  const { tokens } = await organization.listApiTokens(ada);
  assert.deepEqual(tokens.map(({ id, prefix }) => [id, prefix]), [[made.id, made.prefix]]);
  await organization.revokeApiToken(ada, made.id);
  assert.equal((await asks()).status, 401);
});

test("admins read the audit log", async () => {
  const { entries } = await organization.listAudit(ada, { action: "api_token.created" });
  assert.deepEqual(entries.map(({ actorId, outcome }) => [actorId, outcome]), [[me.id, "ok"]]);
  const emmy = createHallpass({ baseUrl: server.url, storage: memoryStorage() });
  await emmy.login({ email: "emmy@example.com", password: "correct horse battery staple" });
  await assert.rejects(organization.listAudit(emmy), { code: "forbidden", status: 403 });
  emmy.destroy();
});

test("a member leaves, and the last admin cannot", async () => {
  const alan = createHallpass({ baseUrl: server.url, storage: memoryStorage() });
  await alan.login({ email: "alan@example.com", password: "correct horse battery staple" });
  await organization.leaveOrganization(alan, me.organizationId);
  assert.equal((await organization.listUsers(ada)).users.length, 3);
  await assert.rejects(organization.leaveOrganization(ada, me.organizationId), { code: "last_admin" });
  alan.destroy();
});
