import assert from "node:assert/strict";
import { test } from "node:test";

import { HOUR, Service, fault, setUp, sharedStorage, signIn } from "./house.js";

/** A client that also speaks to another service. */
async function withService(t, options = {}) {
  const service = await Service.open(t);
  return { service, ...(await setUp(t, { origins: [service.url], ...options })) };
}

test("a token refused by Hallpass signs out without a retry", async (t) => {
  for (const [code, spoil] of [
    ["token_revoked", ({ server }) => server.ended.add("s-1")],
    ["invalid_token", ({ server }) => server.faults.push(["GET me", fault.invalidToken])],
    ["token_expired", ({ clock }) => (clock.server += 8 * 24 * HOUR)],
  ]) {
    const house = await setUp(t);
    await signIn(house.hallpass);
    spoil(house);
    await assert.rejects(house.hallpass.me(), { status: 401, code });
    assert.equal(house.server.calls("GET me").length, 1);
    assert.equal(house.server.calls("POST refresh").length, 0);
    assert.equal(await house.hallpass.user(), null);
  }
});

test("a refusal by another service causes a refresh and one retry", async (t) => {
  const { clock, server, service, hallpass } = await withService(t);
  await signIn(hallpass);
  const first = await hallpass.token();
  clock.advance(HOUR);
  service.accepts = (header) => header !== `Bearer ${first}`;
  const answer = await hallpass.fetch(service.url + "/orders", { method: "POST", body: "two pears" });
  assert.equal(answer.status, 200);
  assert.equal(server.calls("POST refresh").length, 1);
  assert.deepEqual(service.tokens, [`Bearer ${first}`, `Bearer ${await hallpass.token()}`]);
  assert.deepEqual(service.heard.map(({ text }) => text), ["two pears", "two pears"]);
});

test("a call is retried at most once", async (t) => {
  const { clock, server, service, hallpass } = await withService(t);
  await signIn(hallpass);
  clock.advance(HOUR);
  service.accepts = () => false;
  assert.equal((await hallpass.fetch(service.url)).status, 401);
  assert.equal(service.heard.length, 2);
  assert.equal(server.calls("POST refresh").length, 1);
  assert.deepEqual(await hallpass.user(), server.ada, "only Hallpass can sign out");

  assert.equal((await hallpass.fetch(service.url)).status, 401);
  assert.equal(service.heard.length, 3, "a token younger than a minute is not refreshed");
  assert.equal(server.calls("POST refresh").length, 1);
});

test("fifty calls refused at once share one refresh", async (t) => {
  const { clock, server, service, hallpass } = await withService(t);
  await signIn(hallpass);
  const first = await hallpass.token();
  clock.advance(HOUR);
  service.accepts = (header) => header !== `Bearer ${first}`;
  const answers = await Promise.all(Array.from({ length: 50 }, () => hallpass.fetch(service.url)));
  assert(answers.every(({ status }) => status === 200));
  assert.equal(server.calls("POST refresh").length, 1);
});

test("only a 401 with invalid_token is retried", async (t) => {
  const { clock, server, service, hallpass } = await withService(t);
  await signIn(hallpass);
  clock.advance(HOUR);
  service.accepts = () => false;
  for (const [status, challenge] of [
    [401, {}],
    [401, { "WWW-Authenticate": "Bearer" }],
    [401, { "WWW-Authenticate": 'Bearer error="insufficient_scope"' }],
    [403, { "WWW-Authenticate": 'Bearer error="invalid_token"' }],
    [503, { "Retry-After": "1" }],
    [429, { "Retry-After": "1" }],
  ]) {
    Object.assign(service, { status, challenge, heard: [] });
    assert.equal((await hallpass.fetch(service.url)).status, status);
    assert.equal(service.heard.length, 1);
  }
  assert.equal(server.calls("POST refresh").length, 0);

  Object.assign(service, { status: 401, challenge: { "WWW-Authenticate": 'Bearer realm="orders", error="invalid_token"' }, heard: [] });
  await hallpass.fetch(service.url);
  assert.equal(service.heard.length, 2);
});

test("a session that Hallpass reports as ended is signed out here", async (t) => {
  const { clock, server, service, hallpass } = await withService(t);
  await signIn(hallpass);
  clock.advance(HOUR);
  service.accepts = () => false;
  server.ended.add("s-1");
  assert.equal((await hallpass.fetch(service.url)).status, 401);
  assert.equal(service.heard.length, 1);
  assert.equal(await hallpass.user(), null);
});

test("if Hallpass cannot answer, the token and the service's answer are kept", async (t) => {
  const { clock, server, service, hallpass } = await withService(t);
  await signIn(hallpass);
  clock.advance(HOUR);
  service.accepts = () => false;
  server.faults.push(["POST refresh", fault.busy]);
  assert.equal((await hallpass.fetch(service.url)).status, 401);
  assert.equal(service.heard.length, 1);
  assert.deepEqual(await hallpass.user(), server.ada);
});

test("a bad token is replaced by the one from another tab", async (t) => {
  const storage = sharedStorage();
  const { server, hallpass } = await setUp(t, { storage });
  await signIn(hallpass);
  const [key, entry] = [...storage.entries][0];
  const token = server.token(server.ada, "s-other");
  storage.entries.set(key, JSON.stringify({ ...JSON.parse(entry), token }));
  server.ended.add("s-1");
  assert.deepEqual(await hallpass.me(), server.ada);
  assert.equal(await hallpass.token(), token);
  assert.equal(server.calls("POST refresh").length, 0);
});

test("a retry never changes the person or the organization", async (t) => {
  for (const change of [{ id: "u-bob" }, { organizationId: "o-beta" }]) {
    const storage = sharedStorage();
    const { server, hallpass } = await setUp(t, { storage });
    await signIn(hallpass);
    const [key, entry] = [...storage.entries][0];
    const user = { ...server.ada, ...change };
    storage.entries.set(key, JSON.stringify({ ...JSON.parse(entry), token: server.token(user), user }));
    server.ended.add("s-1");
    await assert.rejects(hallpass.updateMe({ name: "Ada Lovelace" }), { code: "token_revoked" });
    assert.equal(server.calls("PATCH me").length, 1);
    assert.deepEqual(await hallpass.user(), user);
  }
});
