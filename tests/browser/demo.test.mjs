/** The demo page, the TypeScript client and the Slack sandbox in a real browser. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, beforeEach, afterEach, test } from "node:test";

import { startServer } from "./support.mjs";

let server;
let context;
let page;

before(async () => {
  server = await startServer();
});
after(() => server.close());
beforeEach(async () => {
  context = await server.browser.newContext();
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
});
afterEach(() => context.close());

const open = async (tab = page) => {
  await tab.goto(`${server.url}/demo`);
  await tab.locator("#stranger, #person").filter({ visible: true }).waitFor();
};
const status = (tab = page) => tab.locator("#status");
const says = (tab, text) => status(tab).filter({ hasText: text }).waitFor();
const isSignedIn = (tab = page) => tab.locator("#person").waitFor();
const isSignedOut = (tab = page) => tab.locator("#stranger").waitFor();
const signIn = async (tab = page) => {
  await open(tab);
  await tab.getByRole("button", { name: "Sign in", exact: true }).click();
  await isSignedIn(tab);
};
const goToSlack = async () => {
  await open();
  await page.getByRole("button", { name: "Sign in with Slack" }).click();
  await page.getByRole("heading", { name: "Who do you want to sign in as?" }).waitFor();
};

test("a person signs in with e-mail and password, and signs out", async () => {
  await signIn();
  assert.equal(await page.locator("#name").textContent(), "Ada Lovelace");
  await page.getByRole("button", { name: "Who am I" }).click();
  await says(page, "You are Ada Lovelace.");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await isSignedOut();
});

test("a wrong password is refused with a message", async () => {
  await open();
  await page.locator("#login [name=password]").fill("not the password");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await says(page, "Invalid credentials");
});

test("a person who reloads the page is still signed in", async () => {
  await signIn();
  await page.reload();
  await isSignedIn();
});

test("signing in with Slack leaves no token in the address", async () => {
  await goToSlack();
  await page.locator("#as-owner").click();
  await isSignedIn();
  assert.equal(new URL(page.url()).hash + new URL(page.url()).search, "");
  await page.getByRole("button", { name: "Who am I" }).click();
  await says(page, "You are ");
});

test("a person who cancels at Slack sees a message and may try again", async () => {
  await goToSlack();
  await page.locator("#cancel").click();
  await isSignedOut();
  assert.match(await status().getAttribute("class"), /bad/);
  await goToSlack();
});

test("a reloaded callback does not sign in and offers to start again", async () => {
  await goToSlack();
  const [callback] = await Promise.all([
    page.waitForRequest((request) => request.url().includes("/api/auth/slack/callback")),
    page.locator("#as-member").click(),
  ]);
  await isSignedIn();
  const again = await page.goto(callback.url());
  assert.ok(!page.url().includes("token="), page.url());
  assert.ok(again.status() >= 400 || page.url().includes("error=sign_in_expired"), page.url());
});

test("a return URL of another site is refused at once", async () => {
  const answer = await context.request.get(`${server.url}/api/auth/slack/start`, {
    params: { returnUrl: "https://evil.example/" },
    maxRedirects: 0,
  });
  assert.equal(answer.status(), 400);
  assert.match(await answer.text(), /ALLOWED_RETURN_URLS/);
});

test("signing out in one tab signs out the other", async () => {
  await signIn();
  const other = await context.newPage();
  await open(other);
  await isSignedIn(other);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await isSignedOut(other);
});

test("two tabs that refresh at once stay signed in", async () => {
  await signIn();
  const other = await context.newPage();
  await open(other);
  await Promise.all([page, other].map((tab) => tab.getByRole("button", { name: "Refresh" }).click()));
  await says(page, "Here is a new token.");
  await says(other, "Here is a new token.");
  for (const tab of [page, other]) {
    await tab.getByRole("button", { name: "Who am I" }).click();
    await says(tab, "You are Ada Lovelace.");
  }
});

test("each kind of refusal can be provoked and is shown", async () => {
  await open();
  for (const kind of ["400", "401", "403", "404", "405", "429"]) {
    await page.locator(`#provoke-${kind}`).click();
    await says(page, kind);
    await page.locator("#wire li").first().filter({ hasText: `→ ${kind} in` }).waitFor();
  }
  await page.locator("#wire li").first().filter({ hasText: "Retry-After: " }).waitFor();
});

/** RFC 6238, for the step `ahead` of now. */
const totp = (secret, ahead = 0) => {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac("sha1", key).update(step).digest();
  const code = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(code % 1_000_000).padStart(6, "0");
};

test("a second factor is enrolled and then required", async () => {
  await open();
  const [email, password] = ["mary@example.com", "an engine weaves algebraic patterns"];
  await page.getByText("Create an organization").click();
  const founding = { organizationName: "Vestiges", firstName: "Mary", lastName: "Somerville", email, password };
  for (const [name, value] of Object.entries(founding)) await page.locator(`#register [name=${name}]`).fill(value);
  await page.getByRole("button", { name: "Create organization" }).click();
  await says(page, "Account created successfully.");
  const entersPassword = async () => {
    await page.locator("#login [name=email]").fill(email);
    await page.locator("#login [name=password]").fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  };
  await entersPassword();
  await isSignedIn();

  await page.getByText("Second factor").click();
  await page.getByRole("button", { name: "Set up an authenticator" }).click();
  await page.locator("#qr-code").waitFor();
  const secret = await page.locator("#secret").textContent();
  await page.locator("#confirm [name=code]").fill(totp(secret));
  await page.getByRole("button", { name: "Confirm" }).click();
  await says(page, "From now on you need both.");
  const codes = (await page.locator("#recovery-codes").textContent()).split("\n");
  assert.equal(codes.length, 10);
  const wire = await page.locator("#wire").textContent();
  assert(!wire.includes(secret) && !codes.some((code) => wire.includes(code)), wire);

  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await isSignedOut();
  await entersPassword();
  await says(page, "One more step");
  await page.locator("#second-factor [name=code]").fill("000000");
  await page.getByRole("button", { name: "Continue" }).click();
  await says(page, "Invalid code");
  await page.locator("#second-factor [name=code]").fill(totp(secret, 1));
  await page.getByRole("button", { name: "Continue" }).click();
  await isSignedIn();
  assert.equal(await page.locator("#name").textContent(), "Mary Somerville");
});

test("no page of dev mode loads anything from elsewhere", async () => {
  const foreign = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:")) foreign.push(request.url());
  });
  for (const path of ["/demo", "/docs", "/dev/slack", "/dev/mailbox", "/api/auth/signin", "/reset-password"]) {
    const answer = await page.goto(server.url + path);
    assert.equal(answer.status(), 200, path);
  }
  assert.deepEqual(foreign, []);
});
