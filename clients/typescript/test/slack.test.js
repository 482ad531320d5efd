import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { linkSlack, reauthenticateWithSlack } from "../dist/account.js";
import { browser, fault, setUp, sharedStorage, signIn } from "./house.js";

const APP = "https://app.example/welcome?tab=2";

async function leave(t, options, storage = sharedStorage()) {
  const page = browser(t, APP);
  const house = await setUp(t, { storage });
  await house.hallpass.slackSignIn(options);
  const asked = house.server.calls("GET slack/url")[0].url.searchParams;
  const state = new URL(page.location.assigned[0]).searchParams.get("state");
  // The return is another page load.
  return { page, asked, state, storage, ...house, hallpass: house.open() };
}

const challengeOf = (verifier) => createHash("sha256").update(verifier).digest("base64url");

test("a sign-in with Slack navigates to the URL from Hallpass", async (t) => {
  const { page, asked } = await leave(t);
  assert.match(page.location.assigned[0], /^https:\/\/slack\.com\/oauth\/v2\/authorize\?/);
  assert.equal(asked.get("returnUrl"), "https://app.example/welcome");
  assert.match(asked.get("codeChallenge"), /^[\w-]{43}$/);
  assert.equal(asked.get("team"), null);
});

test("return URL, workspace, PKCE pair and navigation are options", async (t) => {
  const opened = [];
  const pkce = { verifier: "v".repeat(43), challenge: "c".repeat(43) };
  const page = browser(t, APP);
  const { server, hallpass } = await setUp(t);
  await hallpass.slackSignIn({ returnUrl: "myapp://back", team: "T1", pkce, navigate: (url) => opened.push(url) });
  const asked = server.calls("GET slack/url")[0].url.searchParams;
  assert.deepEqual(Object.fromEntries(asked), { returnUrl: "myapp://back", team: "T1", codeChallenge: pkce.challenge });
  assert.equal(opened.length, 1);
  assert.deepEqual(page.location.assigned, []);

  const state = new URL(opened[0]).searchParams.get("state");
  server.codes.set("c-1", (verifier) => verifier === pkce.verifier && server.ada);
  assert.deepEqual(await hallpass.handleReturn(`myapp://back?code=c-1&state=${state}`), server.ada);
  assert.equal(page.location.href, APP, "another address than the page's");
});

test("a refused start is an error without navigation", async (t) => {
  const page = browser(t, APP);
  const { server, hallpass } = await setUp(t);
  server.faults.push(["GET slack/url", fault.busy]);
  await assert.rejects(hallpass.slackSignIn(), { code: "busy" });
  assert.deepEqual(page.location.assigned, []);
});

test("a one-time code is redeemed with this client's verifier", async (t) => {
  const { page, asked, state, server, hallpass } = await leave(t);
  server.codes.set("c-1", (verifier) => challengeOf(verifier) === asked.get("codeChallenge") && server.ada);
  page.go(`${APP}&code=c-1&state=${state}#top`);
  assert.deepEqual(await hallpass.handleReturn(), server.ada);
  assert.deepEqual(await hallpass.user(), server.ada);
  assert.equal(page.location.href, `${APP}#top`);
  assert.deepEqual(page.historyState, { page: 3 });
});

test("a token in the fragment is used and removed before any request", async (t) => {
  const { page, asked, state, server, hallpass } = await leave(t, { pkce: false });
  assert.equal(asked.get("codeChallenge"), null);
  const token = server.token(server.ada);
  page.go(`${APP}#token=${token}&expiresIn=604800&state=${state}`);
  const signedIn = hallpass.handleReturn();
  assert.equal(page.location.href, APP);
  assert.deepEqual(await signedIn, server.ada);
  assert.equal(await hallpass.token(), token);
});

test("a token in the query is used, and the page's own parameters stay", async (t) => {
  const { page, state, server, hallpass } = await leave(t, { pkce: false });
  page.go(`${APP}&token=${server.token(server.ada)}&expiresIn=604800&state=${state}`);
  assert.deepEqual(await hallpass.handleReturn(), server.ada);
  assert.equal(page.location.href, APP);
});

test("a return with an unknown state does not sign in", async (t) => {
  const { page, server, hallpass } = await leave(t, { pkce: false });
  for (const part of [`#token=${server.token(server.bob)}&state=forged`, "?code=c-1&state=", "?error=access_denied&state=forged"]) {
    page.go("https://app.example/" + part);
    await assert.rejects(hallpass.handleReturn(), { status: 0, code: "state_mismatch" });
    assert.equal(page.location.href, "https://app.example/");
  }
  assert.equal(await hallpass.user(), null);
  assert.equal(server.heard.length, 1);
});

test("a state works once", async (t) => {
  const { page, state, server, hallpass } = await leave(t, { pkce: false });
  const address = `${APP}#token=${server.token(server.ada)}&state=${state}`;
  page.go(address);
  assert.deepEqual(await hallpass.handleReturn(), server.ada);
  assert.equal(await hallpass.handleReturn(), null, "the parameters were removed");
  page.go(address);
  await assert.rejects(hallpass.handleReturn(), { code: "state_mismatch" });
});

test("a token is refused if a code was requested", async (t) => {
  const { page, state, server, hallpass } = await leave(t);
  page.go(`${APP}#token=${server.token(server.bob)}&state=${state}`);
  await assert.rejects(hallpass.handleReturn());
  assert.equal(await hallpass.user(), null);
});

test("a code or nonsense is refused if a token was requested", async (t) => {
  for (const part of ["code=c-1", "token=x", "token=a.b.c%0D%0AX"]) {
    const { page, state, hallpass } = await leave(t, { pkce: false });
    page.go(`${APP}#${part}&state=${state}`);
    await assert.rejects(hallpass.handleReturn(), { code: "unexpected_answer" });
    assert.equal(await hallpass.user(), null);
  }
});

for (const where of ["#", "&"]) {
  test(`an error after ${where} is thrown with its code`, async (t) => {
    for (const code of ["access_denied", "account_exists", "not_allowed", "sign_in_expired", "slack_misconfigured", "slack_unavailable"]) {
      const { page, state, hallpass } = await leave(t);
      page.go(`${APP}${where}error=${code}&state=${state}`);
      await assert.rejects(hallpass.handleReturn(), { status: 0, code, message: code.replaceAll("_", " ") });
      assert.equal(page.location.href, APP);
    }
  });
}

test("a refused token and an expired code do not sign in", async (t) => {
  const fragment = await leave(t, { pkce: false });
  const token = fragment.server.token(fragment.server.ada, "s-gone");
  fragment.server.ended.add("s-gone");
  fragment.page.go(`${APP}#token=${token}&state=${fragment.state}`);
  await assert.rejects(fragment.hallpass.handleReturn(), { code: "token_revoked" });
  assert.equal(await fragment.hallpass.user(), null);

  const query = await leave(t);
  query.page.go(`${APP}&code=late&state=${query.state}`);
  await assert.rejects(query.hallpass.handleReturn(), { code: "sign_in_expired" });
  assert.equal(await query.hallpass.user(), null);
});

test("a refused return does not sign out", async (t) => {
  const { page, server, hallpass } = await leave(t, { pkce: false });
  await signIn(hallpass);
  page.go(`${APP}#token=${server.token(server.bob)}&state=forged`);
  await assert.rejects(hallpass.handleReturn());
  assert.deepEqual(await hallpass.user(), server.ada);
});

test("an address without parameters of Slack is left alone", async (t) => {
  const { page, hallpass } = await leave(t);
  for (const part of ["", "?token=of-a-mail", "?code=of-a-shop", "#error", "?state=open", "#/route?token=x"]) {
    page.go("https://app.example/" + part);
    assert.equal(await hallpass.handleReturn(), null);
    assert.equal(page.location.href, "https://app.example/" + part);
  }
});

test("tabs that sign in at the same time do not interfere", async (t) => {
  const { page, state, server, hallpass, open } = await leave(t, { pkce: false });
  for (let tab = 0; tab < 4; tab++) await open().slackSignIn({ pkce: false });
  page.go(`${APP}#token=${server.token(server.ada)}&state=${state}`);
  assert.deepEqual(await hallpass.handleReturn(), server.ada);
});

test("a return without its second factor is an error with the challenge", async (t) => {
  const { page, state, hallpass } = await leave(t, { pkce: false });
  page.go(`${APP}#mfaToken=m-1&expiresIn=300&state=${state}`);
  await assert.rejects(hallpass.handleReturn(), {
    code: "second_factor_required",
    challenge: { mfaToken: "m-1", expiresIn: 300 },
  });
  assert.equal(page.location.href, APP);
  assert.equal(await hallpass.user(), null);
});

for (const [name, go] of Object.entries({ link: linkSlack, reauthenticate: reauthenticateWithSlack })) {
  test(`${name} leaves for Slack as the signed-in person, and comes back like a sign-in`, async (t) => {
    const page = browser(t, APP);
    const { server, hallpass } = await setUp(t);
    await signIn(hallpass);
    await go(hallpass);
    const [{ body, headers }] = server.calls(`POST slack/${name}`);
    assert.deepEqual(Object.keys(body), ["returnUrl", "codeChallenge"]);
    assert.equal(body.returnUrl, "https://app.example/welcome");
    assert.equal(headers.authorization, `Bearer ${await hallpass.token()}`);

    const state = new URL(page.location.assigned[0]).searchParams.get("state");
    server.codes.set("c-1", (verifier) => challengeOf(verifier) === body.codeChallenge && server.ada);
    page.go(`${APP}&code=c-1&state=${state}`);
    assert.deepEqual(await hallpass.handleReturn(), server.ada);
  });
}
