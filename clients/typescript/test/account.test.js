import assert from "node:assert/strict";
import { test } from "node:test";

import {
  account,
  confirmTotp,
  enrolTotp,
  exportAccount,
  forgotPassword,
  listSessions,
  removeTotp,
  resetPassword,
  setPassword,
  unlinkIdentity,
  verifyEmail,
  verifyMfa,
  withProof,
} from "../dist/account.js";
import { HallpassError } from "../dist/index.js";
import {
  acceptOwnInvitation,
  createJoinLink,
  createOrganization,
  declineInvitation,
  joinBy,
  listInvitations,
  listJoinLinks,
  listOrganizations,
  listOwnInvitations,
  revokeJoinLink,
} from "../dist/organization.js";
import { setUp, signIn } from "./house.js";

/** A sign-in that stops at the second factor. */
async function half(t) {
  const house = await setUp(t);
  house.server.challenges.set("m-1", house.server.ada);
  const mfaRequired = { mfaRequired: true, mfaToken: "m-1", expiresIn: 300 };
  house.server.faults.push(["POST login", (response) => response.end(JSON.stringify(mfaRequired))]);
  const error = await signIn(house.hallpass).catch((error) => error);
  return { ...house, error };
}

test("a sign-in without its second factor is an error with the challenge", async (t) => {
  const { hallpass, error } = await half(t);
  assert(error instanceof HallpassError);
  assert.equal(error.code, "second_factor_required");
  assert.deepEqual(error.challenge, { mfaRequired: true, mfaToken: "m-1", expiresIn: 300 });
  assert.equal(await hallpass.user(), null);
});

test("the challenge and a code sign in; the challenge survives a wrong code", async (t) => {
  const { server, hallpass, error } = await half(t);
  await assert.rejects(verifyMfa(hallpass, error.challenge, "000000"), { code: "invalid_code", status: 401 });
  assert.equal(await hallpass.user(), null);
  assert.deepEqual(await verifyMfa(hallpass, error.challenge, "123456"), server.ada);
  assert.deepEqual(await hallpass.me(), server.ada);
  await assert.rejects(verifyMfa(hallpass, error.challenge, "123456"), { code: "invalid_or_expired_token" });
});

test("the account is read, gets a password and loses an identity", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const identity = { id: "i-1", provider: "slack", team: "T1" };
  const answers = { "GET account": { identities: [identity] } };
  for (const name of ["POST set-password", "DELETE identities/i-1"]) answers[name] = { success: true };
  for (const [name, answer] of Object.entries(answers)) {
    server.faults.push([name, (response) => response.end(JSON.stringify(answer))]);
  }
  assert.deepEqual((await account(hallpass)).identities, [identity]);
  await setPassword(hallpass, "right");
  await unlinkIdentity(hallpass, "i-1");
  const [set, unlinked] = server.heard.slice(-2);
  assert.deepEqual([set.name, set.body], ["POST set-password", { newPassword: "right" }]);
  assert.equal(unlinked.name, "DELETE identities/i-1");
});

test("an authenticator is replaced with a code", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  await enrolTotp(hallpass, { code: "123456" });
  assert.deepEqual(server.heard.at(-1).body, { code: "123456" });
});

test("an authenticator is enrolled, confirmed and removed with the token", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  assert.equal((await enrolTotp(hallpass)).qrCode, "<svg/>");
  assert.deepEqual(await confirmTotp(hallpass, "123456"), ["abcde-fghij"]);
  await removeTotp(hallpass, { password: "right", code: "123456" });
  const [enrolled, confirmed, removed] = server.heard.filter(({ name }) => name.includes("mfa/"));
  assert.equal(enrolled.body, undefined);
  assert.deepEqual(confirmed.body, { code: "123456" });
  assert.deepEqual(removed.body, { password: "right", code: "123456" });
  for (const { headers } of [enrolled, confirmed, removed]) {
    assert.equal(headers.authorization, `Bearer ${await hallpass.token()}`);
  }
});

test("a person who must enrol does so with the challenge and is signed in", async (t) => {
  const { server, hallpass, error } = await half(t);
  const enrolment = { secret: "GEZDGNBVGY3TQOJQ", otpauthUri: "otpauth://totp/…", qrCode: "<svg/>" };
  const confirmed = { recoveryCodes: ["abcde-fghij"], ...server.signedIn(server.ada) };
  server.faults.push(["POST mfa/totp", (response) => response.end(JSON.stringify(enrolment))]);
  server.faults.push(["POST mfa/totp/confirm", (response) => response.end(JSON.stringify(confirmed))]);
  assert.deepEqual(await enrolTotp(hallpass, error.challenge), enrolment);
  assert.deepEqual(await confirmTotp(hallpass, "123456", error.challenge), ["abcde-fghij"]);
  const sent = server.heard.filter(({ name }) => name.includes("mfa/")).map(({ body }) => body);
  assert.deepEqual(sent, [{ mfaToken: "m-1" }, { code: "123456", mfaToken: "m-1" }]);
  assert.deepEqual(await hallpass.user(), server.ada);
});

test("a call that wants a recent proof is repeated once the person has given one", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const message = "Reauthentication required";
  const refuse = (response) => {
    response.writeHead(403, { "Content-Type": "application/json", "X-Error-Code": "reauthentication_required" });
    response.end(JSON.stringify({ statusCode: 403, message, error: "Forbidden" }));
  };
  const until = "2026-11-22T12:15:00Z";
  server.faults.push(["POST mfa/totp", refuse]);
  server.faults.push(["POST reauthenticate", (response) => response.end(JSON.stringify({ success: true, until }))]);
  const enrolment = await withProof(hallpass, () => enrolTotp(hallpass), () => ({ password: "right" }));
  assert.equal(enrolment.qrCode, "<svg/>");
  const sent = server.heard.map(({ name }) => name).filter((name) => name !== "POST login");
  assert.deepEqual(sent, ["POST mfa/totp", "POST reauthenticate", "POST mfa/totp"]);
  assert.deepEqual(server.calls("POST reauthenticate")[0].body, { password: "right" });
  assert(await hallpass.user(), "a 403 ends no sign-in");

  server.faults.push(["DELETE mfa/totp", (response) => {
    response.writeHead(401, { "Content-Type": "application/json", "X-Error-Code": "invalid_code" });
    response.end(JSON.stringify({ statusCode: 401, message: "Invalid code", error: "Unauthorized" }));
  }]);
  const ask = () => assert.fail("no proof is asked for");
  const wrong = withProof(hallpass, () => removeTotp(hallpass, { code: "000000" }), ask);
  await assert.rejects(wrong, { code: "invalid_code" });
});

test("calls for e-mail links and lost passwords work when signed out", async (t) => {
  const { server, hallpass } = await setUp(t);
  await forgotPassword(hallpass, "ada@acme.example");
  await resetPassword(hallpass, "t-1", "an engine weaves");
  await verifyEmail(hallpass, "t-2");
  assert.deepEqual(
    server.heard.map(({ name, body, headers }) => [name, body, headers.authorization]),
    [
      ["POST forgot-password", { email: "ada@acme.example" }, undefined],
      ["POST reset-password", { token: "t-1", password: "an engine weaves" }, undefined],
      ["POST verify-email", { token: "t-2" }, undefined],
    ],
  );
});

test("an export is asked for again after a proof", async () => {
  const asked = [];
  const stale = {
    request: async (method, path, body) => {
      asked.push([method, path, body]);
      if (asked.length === 1) throw new HallpassError(403, "reauthentication_required", "Reauthentication required");
      return { version: 1 };
    },
  };
  const proof = { password: "right" };
  assert.deepEqual(await withProof(stale, () => exportAccount(stale), () => proof), { version: 1 });
  assert.deepEqual(asked, [
    ["GET", "account/export", undefined],
    ["POST", "reauthenticate", proof],
    ["GET", "account/export", undefined],
  ]);
});

test("lists of several pages are read to their end", async () => {
  const asked = [];
  const pages = {
    request: async (method, path) => {
      asked.push(`${method} ${path}`);
      const isLast = path.includes("cursor=2");
      return { sessions: [path], invitations: [path], nextCursor: isLast ? null : "2" };
    },
  };
  assert.equal((await listSessions(pages)).length, 2);
  assert.equal((await listInvitations(pages, "acme")).length, 2);
  assert.deepEqual(asked, [
    "GET sessions",
    "GET sessions?cursor=2",
    "GET ../organizations/acme/invitations",
    "GET ../organizations/acme/invitations?cursor=2",
  ]);
});

test("organizations, join links and one's own invitations have a call each", async () => {
  const asked = [];
  const hallpass = {
    request: async (method, path, content) => {
      asked.push([`${method} ${path.replace("../", "")}`, content]);
      return { organizations: ["acme"], joinLinks: ["link"], invitations: ["invitation"], user: "ada", token: "t" };
    },
  };
  assert.deepEqual(await listOrganizations(hallpass), ["acme"]);
  await createOrganization(hallpass, { name: "Acme", slug: "acme" });
  assert.equal((await createJoinLink(hallpass, "a", { role: "employee", uses: 2 })).token, "t");
  assert.deepEqual(await listJoinLinks(hallpass, "a"), ["link"]);
  await revokeJoinLink(hallpass, "a", "l/1");
  assert.equal(await joinBy(hallpass, { token: "t" }), "ada");
  assert.equal(await joinBy(hallpass, { slug: "acme" }), "ada");
  assert.deepEqual(await listOwnInvitations(hallpass), ["invitation"]);
  assert.equal(await acceptOwnInvitation(hallpass, "i"), "ada");
  await declineInvitation(hallpass, "i");
  assert.deepEqual(asked, [
    ["GET organizations", undefined],
    ["POST organizations", { name: "Acme", slug: "acme" }],
    ["POST organizations/a/join-links", { role: "employee", uses: 2 }],
    ["GET organizations/a/join-links", undefined],
    ["DELETE organizations/a/join-links/l%2F1", undefined],
    ["POST organizations/join", { token: "t" }],
    ["POST organizations/join", { slug: "acme" }],
    ["GET invitations", undefined],
    ["POST invitations/i/accept", undefined],
    ["POST invitations/i/decline", undefined],
  ]);
});
