import assert from "node:assert/strict";
import { test } from "node:test";

import { DAY, HOUR, browser, fault, gate, setUp, sharedStorage, signIn, until } from "./house.js";

/** Two tabs of one browser, with Node's own BroadcastChannel between them. */
async function twoTabs(t) {
  const storage = sharedStorage();
  const house = await setUp(t, { storage });
  return { storage, ...house, here: house.hallpass, there: house.open() };
}

test("a sign-in in one tab signs in all of them", async (t) => {
  const { server, here, there } = await twoTabs(t);
  const told = [];
  there.onChange((user) => told.push(user));
  assert.equal(await there.user(), null);
  await signIn(here);
  await until(() => told.length);
  assert.deepEqual(told, [server.ada]);
  assert.equal(await there.token(), await here.token());
});

test("a logout reaches every tab", async (t) => {
  const { here, there } = await twoTabs(t);
  await signIn(here);
  await until(() => there.user());
  const told = [];
  there.onChange((user) => told.push(user));
  await here.logout();
  await until(() => told.length);
  assert.deepEqual(told, [null]);
  assert.equal(await there.token(), null);
});

test("a session that one tab finds ended ends in all of them", async (t) => {
  const { server, here, there } = await twoTabs(t);
  await signIn(here);
  await until(() => there.user());
  server.ended.add("s-1");
  await assert.rejects(here.me(), { code: "token_revoked" });
  await until(async () => !(await there.user()));
});

test("a token refreshed by one tab is used by the others", async (t) => {
  const { clock, server, here, there } = await twoTabs(t);
  await signIn(here);
  await until(() => there.user());
  clock.advance(2 * DAY);
  await here.me();
  await there.me();
  assert.equal(server.calls("POST refresh").length, 1);
  assert.equal(await there.token(), await here.token());
});

test("a suspended tab finds newer tokens in storage before it refreshes", async (t) => {
  const { clock, server, storage, here, open } = await twoTabs(t);
  await signIn(here);
  const channel = globalThis.BroadcastChannel;
  globalThis.BroadcastChannel = undefined;
  t.after(() => (globalThis.BroadcastChannel = channel));
  const deaf = open();
  await deaf.user();
  clock.advance(2 * DAY);
  await here.me();
  await deaf.me();
  assert.equal(server.calls("POST refresh").length, 1);
  assert.equal(await deaf.token(), await here.token());
  assert.equal(storage.entries.size, 1);
});

test("a suspended tab notices a logout when it gets the focus", async (t) => {
  const page = browser(t);
  const storage = sharedStorage();
  const { server, hallpass } = await setUp(t, { storage });
  await signIn(hallpass);
  storage.entries.clear();
  const told = [];
  hallpass.onChange((user) => told.push(user));
  server.ended.add("s-1");
  page.fire("focus");
  await assert.rejects(hallpass.me());
  await until(() => told.length);
  assert.deepEqual(told, [null]);
});

test("two tabs that refresh at once succeed without waiting for each other", async (t) => {
  const { clock, server, here, there } = await twoTabs(t);
  await signIn(here);
  await until(() => there.user());
  clock.advance(2 * DAY);
  const { promise, open } = gate();
  server.gate = promise;
  const calls = [here.me(), there.me()];
  await until(() => server.calls("POST refresh").length === 2);
  open();
  for (const user of await Promise.all(calls)) assert.deepEqual(user, server.ada);
  await until(async () => (await here.token()) === (await there.token()));
});

test("a switch of organization survives a refresh in another tab", async (t) => {
  const { clock, server, here, there } = await twoTabs(t);
  await signIn(here);
  await until(() => there.user());
  const { promise, open } = gate();
  server.gate = promise;
  const change = here.refresh({ organizationId: "o-beta" });
  await until(() => server.calls("POST refresh").length === 1);
  server.gate = undefined;
  clock.advance(HOUR);
  await there.refresh();
  const theirs = await there.token();
  await until(async () => (await here.token()) === theirs);
  open();
  assert.equal((await change).organizationId, "o-beta");
  await until(async () => (await there.user()).organizationId === "o-beta");
});

test("an older message from a tab does not replace a newer token", async (t) => {
  const { clock, server, storage, here } = await twoTabs(t);
  await signIn(here);
  const key = [...storage.entries.keys()][0];
  clock.advance(HOUR);
  await here.refresh();
  const newer = await here.token();
  const [tell, witness] = [new BroadcastChannel(key), new BroadcastChannel(key)];
  t.after(() => [tell, witness].forEach((channel) => channel.close()));
  const entry = (at) => JSON.stringify({ token: server.token(server.ada), user: server.ada, at });
  const heard = new Promise((resolve) => (witness.onmessage = resolve));
  tell.postMessage(entry(clock.now() - 1));
  await heard;
  await here.me();
  assert.equal(await here.token(), newer);

  const newest = entry(clock.now());
  tell.postMessage(newest);
  await until(async () => (await here.token()) === JSON.parse(newest).token);
});

test("a refresh in one tab does not undo the logout of another", async (t) => {
  const { server, storage, here, there } = await twoTabs(t);
  await signIn(here);
  await until(() => there.user());
  const { promise, open } = gate();
  server.gate = promise;
  const refresh = here.refresh();
  await until(() => server.calls("POST refresh").length === 1);
  server.faults.push(["POST logout", fault.hangUp]);
  await assert.rejects(there.logout());
  open();
  assert.equal(await refresh, null);
  assert.equal(await here.token(), null);
  assert.equal(storage.entries.size, 0);
});

test("clients that share no storage share no sign-in, even in one process", async (t) => {
  const { server, hallpass, open } = await setUp(t);
  const other = open();
  await signIn(hallpass);
  await signIn(other, "bob@acme.example");
  await hallpass.refresh();
  assert.deepEqual(await hallpass.me(), server.ada);
  assert.deepEqual(await other.me(), server.bob);
});

test("after destroy nothing is sent, received or listened to", async (t) => {
  const page = browser(t);
  const { clock, server, here, there } = await twoTabs(t);
  assert.equal(page.listeners.length, 6);
  const told = [];
  there.onChange((user) => told.push(user));
  there.destroy();
  assert.equal(page.listeners.length, 3);
  await signIn(here);
  assert.deepEqual(await there.user(), server.ada, "storage is still read");
  await here.refresh();
  here.destroy();
  assert.equal(page.listeners.length, 0);
  clock.advance(2 * DAY);
  page.fire("focus");
  await here.logout();
  assert.deepEqual(told, []);
  assert.equal(server.calls("POST refresh").length, 1);
});
