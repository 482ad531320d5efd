/** The demo page, the TypeScript client and the Slack sandbox, as a person meets them. */

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";

import { openHouse } from "./house.mjs";

let house;
let context;
let page;

before(async () => {
  house = await openHouse();
});
after(() => house.close());
beforeEach(async () => {
  context = await house.browser.newContext();
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
});
afterEach(() => context.close());

const open = async (tab = page) => {
  await tab.goto(`${house.url}/demo`);
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
  await page.getByRole("heading", { name: "Who are you today?" }).waitFor();
};

test("an e-mail address and a password let somebody in, and a click lets them out", async () => {
  await signIn();
  assert.equal(await page.locator("#name").textContent(), "Ada Lovelace");
  await page.getByRole("button", { name: "Who am I" }).click();
  await says(page, "You are Ada Lovelace.");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await isSignedOut();
});

test("a wrong password is refused in words", async () => {
  await open();
  await page.locator("#login [name=password]").fill("not the password");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await says(page, "Invalid credentials");
});

test("who comes back to the page is still signed in", async () => {
  await signIn();
  await page.reload();
  await isSignedIn();
});

test("Slack's button leads through consent back to the page, and the address keeps no token", async () => {
  await goToSlack();
  await page.locator("#as-owner").click();
  await isSignedIn();
  assert.equal(new URL(page.url()).hash + new URL(page.url()).search, "");
  await page.getByRole("button", { name: "Who am I" }).click();
  await says(page, "You are ");
});

test("who cancels at Slack is told so and may begin again", async () => {
  await goToSlack();
  await page.locator("#cancel").click();
  await isSignedOut();
  assert.match(await status().getAttribute("class"), /bad/);
  await goToSlack();
});

test("a callback that is loaded again signs nobody in and offers to start again", async () => {
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

test("a return to somebody else's page is refused at once", async () => {
  const answer = await context.request.get(`${house.url}/api/auth/slack/start`, {
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

test("no page of development loads anything from elsewhere", async () => {
  const foreign = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(house.url) && !request.url().startsWith("data:")) foreign.push(request.url());
  });
  for (const path of ["/demo", "/docs", "/dev/slack"]) {
    const answer = await page.goto(house.url + path);
    assert.equal(answer.status(), 200, path);
  }
  assert.deepEqual(foreign, []);
});
