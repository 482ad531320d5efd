import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryStorage, webStorage } from "../dist/index.js";
import { DAY, gate, setUp, sharedStorage, signIn, until } from "./house.js";

/** Like a phone's encrypted store: it answers later, and out of order. */
function slowStorage() {
  const entries = new Map();
  let turn = 0;
  const later = async (act) => {
    for (let ticks = turn++ % 2 ? 1 : 9; ticks; ticks--) await new Promise((resume) => setImmediate(resume));
    return act();
  };
  return {
    entries,
    getItem: (key) => later(() => entries.get(key) ?? null),
    setItem: (key, value) => later(() => void entries.set(key, value)),
    removeItem: (key) => later(() => void entries.delete(key)),
  };
}

for (const [kind, make] of [["memory", memoryStorage], ["shared", sharedStorage], ["slow", slowStorage]]) {
  test(`a sign-in survives in ${kind} storage, and a logout clears it`, async (t) => {
    const storage = make();
    const { server, hallpass, open } = await setUp(t, { storage });
    await signIn(hallpass);
    hallpass.destroy();
    const next = open();
    assert.deepEqual(await next.user(), server.ada);
    assert.deepEqual(await next.me(), server.ada);
    await next.logout();
    assert.equal(await open().user(), null);
  });
}

test("in slow storage no write overtakes another", async (t) => {
  const storage = slowStorage();
  const { clock, hallpass, open } = await setUp(t, { storage });
  await signIn(hallpass);
  clock.advance(2 * DAY);
  await Promise.all([hallpass.me(), hallpass.refresh(), hallpass.user()]);
  assert.equal(JSON.parse([...storage.entries.values()][0]).token, await hallpass.token());
  await Promise.all([hallpass.me().catch(() => {}), hallpass.logout()]);
  assert.equal(await open().user(), null);
  assert.equal(storage.entries.size, 0);
});

test("a logout during a slow sign-in takes effect after it", async (t) => {
  const storage = sharedStorage();
  const { promise, open } = gate();
  let isWriting = false;
  const { setItem } = storage;
  storage.setItem = async (key, value) => {
    isWriting = true;
    await promise;
    setItem(key, value);
  };
  const { server, hallpass } = await setUp(t, { storage });
  const signedIn = signIn(hallpass);
  await until(() => isWriting);
  const loggedOut = hallpass.logout();
  await new Promise((resume) => setImmediate(resume));
  open();
  await Promise.all([signedIn, loggedOut]);
  assert.equal(await hallpass.user(), null);
  assert.equal(storage.entries.size, 0);
  assert.equal(server.ended.size, 1);
});

test("full storage does not prevent a sign-in", async (t) => {
  const storage = sharedStorage();
  storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const { server, hallpass } = await setUp(t, { storage });
  await signIn(hallpass);
  assert.deepEqual(await hallpass.me(), server.ada);
  await hallpass.logout();
  assert.equal(await hallpass.user(), null);
});

test("unreadable storage does not sign out", async (t) => {
  const storage = sharedStorage();
  const { server, hallpass, open } = await setUp(t, { storage });
  await signIn(hallpass);
  const { getItem } = storage;
  storage.getItem = () => {
    throw new Error("locked");
  };
  const next = open();
  await assert.rejects(next.user(), { message: "locked" });
  await assert.rejects(next.me(), { message: "locked" });
  storage.getItem = getItem;
  assert.deepEqual(await next.me(), server.ada);
});

test("an entry that cannot be deleted is reported at logout", async (t) => {
  const storage = sharedStorage();
  const { server, hallpass } = await setUp(t, { storage });
  await signIn(hallpass);
  storage.removeItem = () => {
    throw new Error("locked");
  };
  await assert.rejects(hallpass.logout(), { message: "locked" });
  assert.equal(server.ended.size, 1);
});

test("nonsense in storage is not a sign-in", async (t) => {
  for (const nonsense of ["", "null", "7", "{", '{"token":7,"user":{}}', '{"token":"a.b.c"}', '{"token":"a.b.c\\r\\nX: y","user":{}}']) {
    const storage = sharedStorage();
    const { hallpass, open } = await setUp(t, { storage });
    await signIn(hallpass);
    storage.entries.set([...storage.entries.keys()][0], nonsense);
    assert.equal(await open().user(), null, nonsense);
  }
});

test("two services do not share an entry", async (t) => {
  const storage = sharedStorage();
  const { hallpass, open } = await setUp(t, { storage });
  await signIn(hallpass);
  assert.equal(await open({ baseUrl: "https://id.example" }).user(), null);
  for (const key of storage.entries.keys()) assert.match(key, /^[\w.-]+$/, "characters that every keychain accepts");
});

test("web storage is localStorage, or memory where there is none", async (t) => {
  const { shared, ...plain } = sharedStorage();
  const put = (defaultView) => Object.defineProperty(globalThis, "document", { value: { defaultView }, configurable: true });
  t.after(() => delete globalThis.document);
  put({ localStorage: { ...plain, length: 0 } });
  const web = webStorage();
  assert.equal(web.shared, shared);
  web.setItem("a", "b");
  assert.equal(plain.entries.get("a"), "b");
  assert.equal(web.getItem("a"), "b");
  web.removeItem("a");
  assert.equal(web.getItem("a"), null);

  const blocked = { get localStorage() { throw new DOMException("blocked", "SecurityError"); } };
  for (const view of [blocked, { localStorage: null }, null]) {
    put(view);
    const memory = webStorage();
    memory.setItem("a", "b");
    assert.equal(memory.getItem("a"), "b");
    assert(!memory.shared);
  }
  delete globalThis.document;
  assert(!webStorage().shared, "all visitors would share a localStorage of a server");
});

test("a listener is told of a sign-in found in storage", async (t) => {
  const storage = sharedStorage();
  const { server, hallpass, open } = await setUp(t, { storage });
  await signIn(hallpass);
  const told = [];
  const next = open();
  next.onChange((user) => told.push(user));
  await next.user();
  await until(() => told.length);
  assert.deepEqual(told, [server.ada]);
});
