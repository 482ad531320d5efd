import assert from "node:assert/strict";
import { test } from "node:test";

import { DAY, HOUR, browser, fault, gate, setUp, signIn, until } from "./house.js";

test("a token is refreshed before a call once it is older than a day", async (t) => {
  const { clock, server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const first = await hallpass.token();
  clock.advance(23 * HOUR);
  await hallpass.me();
  assert.equal(server.calls("POST refresh").length, 0);

  clock.advance(2 * HOUR);
  await hallpass.me();
  assert.equal(server.calls("POST refresh")[0].headers.authorization, `Bearer ${first}`);
  const second = await hallpass.token();
  assert.notEqual(second, first);
  assert.equal(server.calls("GET me").at(-1).headers.authorization, `Bearer ${second}`);
  assert.equal(server.calls("POST refresh").length, 1);
});

test("a token of a short life is refreshed after a seventh of it, so that who is active stays signed in", async (t) => {
  const { clock, server, hallpass } = await setUp(t);
  server.life = HOUR / 1000;
  await signIn(hallpass);
  clock.advance(HOUR / 8);
  await hallpass.me();
  assert.equal(server.calls("POST refresh").length, 0);
  for (let turn = 1; turn <= 12; turn += 1) {
    clock.advance(HOUR / 4);
    await hallpass.me();
    assert.equal(server.calls("POST refresh").length, turn);
  }
});

test("fifty calls at once share one refresh", async (t) => {
  const { clock, server, hallpass } = await setUp(t);
  await signIn(hallpass);
  clock.advance(2 * DAY);
  await Promise.all(Array.from({ length: 50 }, () => hallpass.me()));
  assert.equal(server.calls("POST refresh").length, 1);
  const tokens = new Set(server.calls("GET me").map(({ headers }) => headers.authorization));
  assert.deepEqual([...tokens], [`Bearer ${await hallpass.token()}`]);
});

test("focus, visibility and being online refresh only an old token", async (t) => {
  const page = browser(t);
  const { clock, server, hallpass } = await setUp(t);
  await signIn(hallpass);
  for (const [turn, type] of ["focus", "visibilitychange", "online"].entries()) {
    page.fire(type);
    await hallpass.me();
    assert.equal(server.calls("POST refresh").length, turn);
    clock.advance(DAY + HOUR);
    page.fire(type);
    await until(() => server.calls("POST refresh").length === turn + 1);
    await hallpass.me();
  }
});

test("nothing is refreshed while signed out", async (t) => {
  const page = browser(t);
  const { server, hallpass } = await setUp(t);
  page.fire("focus");
  assert.equal(await hallpass.refresh(), null);
  await assert.rejects(hallpass.me(), { code: "authentication_required" });
  assert.equal(server.calls("POST refresh").length, 0);
});

test("a failed refresh neither fails the call nor is retried at once", async (t) => {
  const page = browser(t);
  const { clock, server, hallpass } = await setUp(t);
  await signIn(hallpass);
  clock.advance(2 * DAY);
  server.faults.push(["POST refresh", fault.busy], ["POST refresh", fault.hangUp]);
  await hallpass.me();
  await hallpass.me();
  assert.equal(server.calls("POST refresh").length, 1, "Retry-After is 7 seconds");

  clock.advance(8_000);
  await hallpass.me();
  clock.advance(50_000);
  await hallpass.me();
  assert.equal(server.calls("POST refresh").length, 2, "a minute without Retry-After");

  page.fire("online");
  await until(() => server.calls("POST refresh").length === 3);
  assert.deepEqual(await hallpass.user(), server.ada);
});

test("a clock set back does not lengthen the pause after a failed refresh", async (t) => {
  const { clock, server, hallpass } = await setUp(t);
  await signIn(hallpass);
  clock.advance(2 * DAY);
  server.faults.push(["POST refresh", fault.busy]);
  await hallpass.me();
  clock.device -= 9 * DAY;
  await hallpass.me();
  assert.equal(server.calls("POST refresh").length, 2);
});

test("a call uses the current token if Hallpass is silent for ten seconds", async (t) => {
  const { clock, server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const token = await hallpass.token();
  clock.advance(2 * DAY);
  server.faults.push(["POST refresh", fault.silence]);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const call = hallpass.token();
  await until(() => server.calls("POST refresh").length === 1);
  t.mock.timers.tick(10_000);
  assert.equal(await call, token);
});

test("an explicit refresh returns the user or throws", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  server.ada.role = "manager";
  assert.equal((await hallpass.refresh()).role, "manager");
  assert.equal((await hallpass.user()).role, "manager");
  server.faults.push(["POST refresh", fault.busy]);
  await assert.rejects(hallpass.refresh(), { code: "busy" });
  server.faults.push(["POST refresh", fault.invalidToken]);
  await assert.rejects(hallpass.refresh(), { code: "invalid_token" });
  assert.equal(await hallpass.user(), null);
});

test("a switch of organization is not lost in a concurrent refresh", async (t) => {
  const { clock, server, hallpass } = await setUp(t);
  await signIn(hallpass);
  clock.advance(2 * DAY);
  const { promise, open } = gate();
  server.gate = promise;
  const call = hallpass.me();
  await until(() => server.calls("POST refresh").length === 1);
  const switches = ["o-beta", "o-gamma"].map((organizationId) => hallpass.refresh({ organizationId }));
  open();
  await Promise.all([call, ...switches]);
  assert.deepEqual(server.calls("POST refresh").map(({ body }) => body), [
    undefined,
    { organizationId: "o-beta" },
    { organizationId: "o-gamma" },
  ]);
  assert.equal((await hallpass.user()).organizationId, "o-gamma");
  assert.equal((await hallpass.me()).organizationId, "o-gamma");
});

test("a refresh that ends after the logout does not sign in again", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const { promise, open } = gate();
  server.gate = promise;
  const refresh = hallpass.refresh({ organizationId: "o-beta" });
  await until(() => server.calls("POST refresh").length === 1);
  server.faults.push(["POST logout", fault.hangUp]);
  await assert.rejects(hallpass.logout());
  open();
  assert.equal(await refresh, null);
  assert.equal(await hallpass.token(), null);
});

test("a clock that is wrong by years does no harm", async (t) => {
  for (const skew of [-3 * 365 * DAY, -8 * DAY, 8 * DAY, 3 * 365 * DAY]) {
    const { clock, server, hallpass } = await setUp(t);
    clock.device += skew;
    await signIn(hallpass);
    clock.advance(HOUR);
    await hallpass.me();
    assert.equal(server.calls("POST refresh").length, 0);
    clock.advance(DAY);
    await hallpass.me();
    assert.equal(server.calls("POST refresh").length, 1);
  }
});

test("a corrected clock causes one refresh", async (t) => {
  for (const jump of [-30 * DAY, 30 * DAY]) {
    const { clock, server, hallpass } = await setUp(t);
    await signIn(hallpass);
    clock.device += jump;
    await hallpass.me();
    await hallpass.me();
    assert.equal(server.calls("POST refresh").length, 1);
    assert.deepEqual(await hallpass.user(), server.ada);
  }
});
