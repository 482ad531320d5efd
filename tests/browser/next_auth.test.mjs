/** The published NextAuth client, version 4, on a page of our own origin; and foreign pages. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { build } from "esbuild";

import { startServer } from "./support.mjs";

const EMAIL = "ada@example.com";
const PASSWORD = "correct horse battery staple";

let server;
let script;
let foreign;
let context;
let page;

before(async () => {
  server = await startServer();
  const bundle = await build({
    entryPoints: ["next_auth_page.jsx"],
    bundle: true,
    write: false,
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
    logLevel: "warning",
  });
  script = bundle.outputFiles[0].text;
  foreign = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html>"));
  foreign.listen(0, "127.0.0.1");
  await once(foreign, "listening");
});
after(async () => {
  foreign.close();
  await server.close();
});
beforeEach(async () => {
  context = await server.browser.newContext();
  context.setDefaultTimeout(10_000);
  page = await openApp();
});
afterEach(() => context.close());

/** A tab with the front end, which a proxy serves under our origin. */
const openApp = async () => {
  const tab = await context.newPage();
  await tab.route(`${server.url}/app*`, (route) =>
    route.fulfill({ contentType: "text/html", body: '<!doctype html><div id="root"></div><script src="/app.js"></script>' }),
  );
  await tab.route(`${server.url}/app.js`, (route) =>
    route.fulfill({ contentType: "text/javascript", body: script }),
  );
  await tab.goto(`${server.url}/app`);
  await says(tab, "unauthenticated|Ada");
  return tab;
};
const says = (tab, text) => tab.locator("#person", { hasText: new RegExp(text) }).waitFor();
const signIn = (password = PASSWORD, more = {}) =>
  page.evaluate((options) => window.nextAuth.signIn("credentials", options), {
    email: EMAIL,
    password,
    redirect: false,
    ...more,
  });
const session = (tab = page) => tab.evaluate(() => window.nextAuth.getSession());
const cookies = async () => Object.fromEntries((await context.cookies(server.url)).map((c) => [c.name, c]));

test("a correct password signs in, a wrong one is refused, sign-out works", async () => {
  assert.equal(await session(), null);
  const refused = await signIn("not the password");
  assert.deepEqual(refused, { error: "CredentialsSignin", status: 401, ok: false, url: null });
  assert.equal(await session(), null);

  const signedIn = await signIn();
  assert.deepEqual(signedIn, { error: null, status: 200, ok: true, url: `${server.url}/app` });
  await says(page, "Ada Lovelace \\(admin\\)");
  const { user, expires } = await session();
  assert.equal(user.email, EMAIL);
  assert.deepEqual(Object.keys(user).sort(), ["email", "id", "name", "organizationId", "role"]);
  assert.ok(Date.parse(expires) > Date.now());
  const cookie = (await cookies())["next-auth.session-token"];
  assert.ok(cookie.httpOnly && cookie.sameSite === "Lax", JSON.stringify(cookie));
  assert.equal(await page.evaluate(() => document.cookie), "", "no script sees a cookie of ours");
  assert.equal((await page.evaluate(() => window.updateSession({ name: "Eve" }))).user.name, "Ada Lovelace");

  const signedOut = await page.evaluate(() => window.nextAuth.signOut({ redirect: false }));
  assert.deepEqual(signedOut, { url: `${server.url}/app` });
  await says(page, "unauthenticated");
  assert.equal(await session(), null);
});

test("every tab has one CSRF token, and the providers are ours", async () => {
  const token = await page.evaluate(() => window.nextAuth.getCsrfToken());
  assert.equal((await cookies())["next-auth.csrf-token"].value, token);
  const other = await openApp();
  assert.equal(await other.evaluate(() => window.nextAuth.getCsrfToken()), token);
  const providers = await page.evaluate(() => window.nextAuth.getProviders());
  assert.deepEqual(Object.keys(providers), ["credentials"]);
});

test("signing in redirects to allowed pages only", async () => {
  const lead = (callbackUrl) =>
    page.evaluate((options) => void window.nextAuth.signIn("credentials", options), {
      email: EMAIL,
      password: PASSWORD,
      callbackUrl,
    });
  await lead("/demo");
  await page.waitForURL(`${server.url}/demo`);
  await page.goto(`${server.url}/app`);
  await lead("https://evil.example/");
  await page.waitForURL(`${server.url}/docs`);
});

test("our own pages sign in and out without JavaScript", async () => {
  await page.evaluate(() => void window.nextAuth.signIn(undefined, { callbackUrl: "/demo" }));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/sign_in.png` });
  const fill = async (password) => {
    await page.getByLabel("E-mail address").fill(EMAIL);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await fill("not the password");
  await page.getByRole("alert").filter({ hasText: "Incorrect e-mail address" }).waitFor();
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/refused.png` });
  await fill(PASSWORD);
  await page.waitForURL(`${server.url}/demo`);
  await page.goto(`${server.url}/app`);
  await says(page, "Ada");

  await page.goto(`${server.url}/api/auth/signout?callbackUrl=/demo`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${server.url}/demo`);
  await page.goto(`${server.url}/app`);
  await says(page, "unauthenticated");
});

// Development mode lets the pages of this machine in, whatever their port, so this one is elsewhere.
test("a foreign page changes nothing and cannot sign in", async () => {
  await signIn();
  const before = (await cookies())["next-auth.session-token"].value;
  const stranger = await context.newPage();
  await stranger.goto(`http://foreign.example:${foreign.address().port}/`);
  const posts = await stranger.evaluate(async (url) => {
    const form = new URLSearchParams({ csrfToken: "x", json: "true" });
    const paths = ["signout", "logout", "logout-all", "refresh", "session", "callback/credentials"];
    for (const path of paths) {
      await fetch(`${url}/api/auth/${path}`, { method: "POST", mode: "no-cors", credentials: "include", body: form });
    }
    return fetch(`${url}/api/auth/session`, { credentials: "include" }).then(
      () => "read",
      () => "unreadable",
    );
  }, server.url);
  assert.equal(posts, "unreadable");

  const fields = { email: "grace@example.com", password: PASSWORD, json: "true" };
  const [answer] = await Promise.all([
    stranger.waitForResponse(`${server.url}/api/auth/callback/credentials`),
    stranger.evaluate(
      ({ action, fields }) => {
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action });
        for (const [name, value] of Object.entries(fields)) {
          form.append(Object.assign(document.createElement("input"), { name, value }));
        }
        document.body.append(form);
        form.submit();
      },
      { action: `${server.url}/api/auth/callback/credentials`, fields },
    ),
  ]);
  assert.equal(answer.status(), 403);
  assert.equal(answer.headers()["x-error-code"], "cross_site_request");
  assert.equal((await cookies())["next-auth.session-token"].value, before);
  assert.equal((await session()).user.email, EMAIL);
});
