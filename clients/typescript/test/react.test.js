import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { buildSync } from "esbuild";
import { StrictMode, act, createElement } from "react";
import { create } from "react-test-renderer";

import { setUp, signIn } from "./house.js";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;

const HOOK = new URL("../example/useHallpass.ts", import.meta.url);

async function load() {
  const outfile = new URL("../dist/example/useHallpass.js", import.meta.url).pathname;
  buildSync({ entryPoints: [HOOK.pathname], outfile, bundle: true, packages: "external", format: "esm" });
  return (await import(outfile)).useHallpass;
}

test("the README shows the hook as it is in the example", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const hook = readFileSync(HOOK, "utf8");
  assert(readme.includes("```ts\n" + hook + "```\n"));
  assert(hook.trimEnd().split("\n").length <= 20);
});

test("a component with the hook follows sign-in and sign-out, and stops when it is gone", async (t) => {
  const useHallpass = await load();
  const { server, hallpass } = await setUp(t);
  const seen = [];
  const Name = () => {
    const user = useHallpass(hallpass);
    seen.push(user);
    return user === undefined ? "…" : (user?.name ?? "Sign in");
  };
  let page;
  await act(async () => (page = create(createElement(StrictMode, null, createElement(Name)))));
  assert.equal(seen[0], undefined);
  assert.equal(page.toJSON(), "Sign in");

  await act(async () => signIn(hallpass));
  assert.equal(page.toJSON(), server.ada.name);
  await act(async () => hallpass.logout());
  assert.equal(page.toJSON(), "Sign in");

  await act(async () => page.unmount());
  const before = seen.length;
  await act(async () => signIn(hallpass));
  assert.equal(seen.length, before);
});
