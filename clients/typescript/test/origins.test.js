import assert from "node:assert/strict";
import { test } from "node:test";

import { createHallpass } from "../dist/index.js";
import { Service, browser, setUp, signIn } from "./house.js";

test("the token is sent to Hallpass and the configured origins only", async (t) => {
  const [orders, elsewhere] = [await Service.open(t), await Service.open(t)];
  const { server, hallpass } = await setUp(t, { origins: [orders.url + "/any/path"] });
  await signIn(hallpass);
  const bearer = `Bearer ${await hallpass.token()}`;
  await hallpass.fetch(orders.url + "/orders");
  await hallpass.fetch(new URL(server.url + "/api/auth/me"));
  await hallpass.fetch(new Request(elsewhere.url + "/x", { method: "POST", body: "y" }));
  await hallpass.fetch(elsewhere.url.replace("127.0.0.1", "localhost")).catch(() => {});
  await hallpass.fetch(elsewhere.url + "/?" + orders.url);
  await hallpass.fetch(elsewhere.url.replace("//", `//${new URL(orders.url).host}@`)).catch(() => {});
  assert.deepEqual(orders.tokens, [bearer]);
  assert.equal(server.calls("GET me")[0].headers.authorization, bearer);
  assert(elsewhere.heard.length >= 2);
  assert(elsewhere.tokens.every((token) => token === undefined));
  assert.equal(elsewhere.heard[0].text, "y");
});

test("a request with the token follows no redirect", async (t) => {
  const [orders, elsewhere] = [await Service.open(t), await Service.open(t)];
  const { hallpass } = await setUp(t, { origins: [orders.url] });
  await signIn(hallpass);
  for (const target of [elsewhere.url, orders.url + "/again"]) {
    orders.redirectsTo = target;
    await assert.rejects(hallpass.fetch(orders.url), { status: 302, code: "redirect_refused" });
  }
  assert.equal(orders.heard.length, 2);
  assert.equal(elsewhere.heard.length, 0);
  assert.equal((await hallpass.fetch(orders.url, { redirect: "manual" })).status, 302);

  await hallpass.logout();
  orders.redirectsTo = elsewhere.url;
  assert.equal((await hallpass.fetch(orders.url)).status, 200, "without a token a redirect is followed");
});

test("an opaque redirect, as browsers show it, is refused as well", async (t) => {
  const opaque = { type: "opaqueredirect", status: 0, headers: new Headers() };
  const { hallpass } = await setUp(t, {
    fetch: (input, init) => (input.url.endsWith("/orders") ? Promise.resolve(opaque) : fetch(input, init)),
    origins: ["https://orders.example"],
  });
  await signIn(hallpass);
  await assert.rejects(hallpass.fetch("https://orders.example/orders"), { code: "redirect_refused" });
});

test("a request with its own Authorization header keeps it", async (t) => {
  const orders = await Service.open(t);
  const { hallpass } = await setUp(t, { origins: [orders.url] });
  await signIn(hallpass);
  await hallpass.fetch(orders.url, { headers: { Authorization: "Basic eDp5" } });
  assert.deepEqual(orders.tokens, ["Basic eDp5"]);
});

test("the origin 'null' is never trusted", async (t) => {
  const heard = [];
  const { hallpass } = await setUp(t, {
    origins: ["myapp://home", "file:///tmp/"],
    fetch: (input, init) => (heard.push(input.headers.get("Authorization")), input.url.startsWith("http") ? fetch(input, init) : new Response()),
  });
  await signIn(hallpass);
  await hallpass.fetch("data:text/plain,x");
  await hallpass.fetch("otherapp://home");
  assert.deepEqual(heard, [null, null, null]);
});

test("the caller's abort signal ends the call", async (t) => {
  const { server, hallpass } = await setUp(t);
  await signIn(hallpass);
  const aborted = hallpass.fetch(server.url + "/api/auth/me", { signal: AbortSignal.abort() });
  await assert.rejects(aborted, { name: "AbortError" });
});

test("a base URL may have a path, a slash at its end, or be the page's own", async (t) => {
  browser(t, "https://app.example/page");
  for (const [baseUrl, expected] of [
    ["https://id.example/auth-service//", "https://id.example/auth-service/api/auth/login"],
    ["https://id.example", "https://id.example/api/auth/login"],
    ["/", "https://app.example/api/auth/login"],
  ]) {
    const urls = [];
    const hallpass = createHallpass({ baseUrl, fetch: async ({ url }) => (urls.push(url), new Response("{}")) });
    await hallpass.login({ email: "a@b.example", password: "x" }).catch(() => {});
    assert.deepEqual(urls, [expected]);
    hallpass.destroy();
  }
});

test("calls to Hallpass send no cookies", async (t) => {
  const modes = [];
  const { hallpass } = await setUp(t, { fetch: (input, init) => (modes.push(input.credentials), fetch(input, init)) });
  await signIn(hallpass);
  await hallpass.me();
  assert.deepEqual(modes, ["omit", "omit"]);
});
