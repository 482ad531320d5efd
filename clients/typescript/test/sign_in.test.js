import assert from "node:assert/strict";
import { test } from "node:test";

import { changePassword, endSession, listSessions, options } from "../dist/account.js";
import { HallpassError } from "../dist/index.js";
import { fault, setUp, signIn, until } from "./house.js";

test("a login signs in, and every later call carries the token", async (t) => {
  const { server, hallpass } = await setUp(t);
  assert.equal(await hallpass.user(), null);
  assert.equal(await hallpass.token(), null);
  assert.deepEqual(await signIn(hallpass), server.ada);
  assert.deepEqual(await hallpass.user(), server.ada);

  assert.deepEqual(await hallpass.me(), server.ada);
  assert.equal((await listSessions(hallpass))[0].current, true);
  await endSession(hallpass, "s/7");
  await changePassword(hallpass, { currentPassword: "right", newPassword: "an engine weaves" });
  const own = server.heard.filter(({ name }) => name !== "POST login");
  assert.deepEqual(own.map(({ name }) => name), ["GET me", "GET sessions", "DELETE sessions/s%2F7", "POST change-password"]);
  for (const { headers } of own) assert.equal(headers.authorization, `Bearer ${await hallpass.token()}`);
  assert.equal(server.calls("POST login")[0].headers.authorization, undefined);
});

test("joining signs in, and registering an organization does not", async (t) => {
  const { server, hallpass } = await setUp(t);
  const founding = { organizationName: "Acme", firstName: "Ada", lastName: "L", email: "ada@acme.example", password: "right" };
  assert.equal((await hallpass.register(founding)).organization.slug, "acme");
  assert.equal(await hallpass.user(), null);

  const joining = { email: "bob@acme.example", password: "right", name: "Bob", organizationId: "o-acme" };
  assert.deepEqual(await hallpass.register(joining), server.bob);
  assert.deepEqual(await hallpass.user(), server.bob);
});

test("what is open to everyone is read before anyone signs in", async (t) => {
  const { server, hallpass } = await setUp(t);
  assert.deepEqual(await options(hallpass), server.options);
  assert.equal(await hallpass.user(), null);
});

test("a new name is known at once and reported to listeners once", async (t) => {
  const { hallpass } = await setUp(t);
  const told = [];
  hallpass.onChange((user) => told.push(user?.name ?? null));
  await signIn(hallpass);
  await hallpass.updateMe({ name: "Ada Lovelace" });
  await hallpass.me();
  await hallpass.refresh();
  assert.equal((await hallpass.user()).name, "Ada Lovelace");
  await hallpass.logout();
  await until(() => told.length >= 3);
  assert.deepEqual(told, ["Ada", "Ada Lovelace", null]);
});

test("a removed listener is not called", async (t) => {
  const { hallpass } = await setUp(t);
  const told = [];
  hallpass.onChange(() => told.push("off"))();
  hallpass.onChange(() => told.push("on"));
  await signIn(hallpass);
  await until(() => told.length);
  assert.deepEqual(told, ["on"]);
});

test("logging out deletes the token and ends the session", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const token = await hallpass.token();
  await hallpass.logout();
  assert.equal(await hallpass.user(), null);
  assert.equal(server.calls("POST logout")[0].headers.authorization, `Bearer ${token}`);
  assert.equal(server.ended.size, 1);
  await hallpass.logout();
  assert.equal(server.calls("POST logout").length, 1);
});

test("logging out deletes the token even if Hallpass is unreachable", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  server.faults.push(["POST logout", fault.hangUp]);
  await assert.rejects(hallpass.logout(), { code: "network_error" });
  assert.equal(await hallpass.token(), null);
});

test("logging out of an ended session is no error", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  server.faults.push(["POST logout", fault.invalidToken]);
  await hallpass.logout();
  assert.equal(await hallpass.token(), null);
});

test("logging out everywhere keeps the token until it succeeds", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  server.faults.push(["POST logout-all", fault.busy]);
  await assert.rejects(hallpass.logoutAll(), { code: "busy" });
  assert.notEqual(await hallpass.token(), null);
  await hallpass.logoutAll();
  assert.equal(await hallpass.token(), null);
});

test("a refusal is an error with status, code, message and request id", async (t) => {
  const { hallpass } = await setUp(t);
  await assert.rejects(hallpass.login({ email: "ada@acme.example", password: "wrong" }), (error) => {
    assert(error instanceof HallpassError && error instanceof Error);
    const { name, status, code, message, details, retryAfter, requestId } = error;
    assert.deepEqual(
      { name, status, code, message, details, retryAfter, requestId },
      {
        name: "HallpassError",
        status: 401,
        code: "invalid_credentials",
        message: "Invalid credentials",
        details: [],
        retryAfter: undefined,
        requestId: "r-1",
      },
    );
    return true;
  });
});

test("a refusal names the invalid fields, and how long to wait", async (t) => {
  const { server, hallpass } = await setUp(t);
  await assert.rejects(hallpass.register({ email: "", password: "", name: "", organizationId: "" }), {
    status: 400,
    code: "validation_failed",
    details: [{ field: "email", code: "invalid_email", message: "Not an address" }],
  });
  server.faults.push(["POST login", fault.busy]);
  await assert.rejects(signIn(hallpass), { status: 503, code: "busy", retryAfter: 7 });
});

test("a wrong password does not sign out", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  await assert.rejects(hallpass.login({ email: "bob@acme.example", password: "wrong" }));
  assert.deepEqual(await hallpass.user(), server.ada);
});

test("timeouts, portal pages and proxy errors are told apart from answers", async (t) => {
  const { server, hallpass } = await setUp(t);
  server.faults.push(["POST login", fault.hangUp], ["POST login", fault.html(200)], ["POST login", fault.html(502)]);
  await assert.rejects(signIn(hallpass), { status: 0, code: "network_error", message: "network error" });
  await assert.rejects(signIn(hallpass), { status: 200, code: "unexpected_answer" });
  await assert.rejects(signIn(hallpass), { status: 502, code: "unexpected_answer" });
  await signIn(hallpass);
});

test("an answer without a well-formed token does not sign in", async (t) => {
  const { server, hallpass } = await setUp(t);
  for (const accessToken of [undefined, "", "a.b", "a.b.c\r\nX-Evil: 1"]) {
    const body = JSON.stringify({ accessToken, user: server.ada });
    server.faults.push(["POST login", (response) => response.end(body)]);
    await assert.rejects(signIn(hallpass), { code: "unexpected_answer" });
  }
  assert.equal(await hallpass.user(), null);
});

test("no error and no client reveals a token", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const token = await hallpass.token();
  const { inspect } = await import("node:util");
  assert(!inspect(hallpass, { depth: 9, showHidden: true }).includes(token));
  for (const make of [fault.hangUp, fault.html(500), fault.busy, fault.invalidToken]) {
    server.faults.push(["GET me", make]);
    await assert.rejects(hallpass.me(), (error) => !inspect(error, { depth: 9, showHidden: true }).includes(token));
  }
});
