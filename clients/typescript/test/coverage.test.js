import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as account from "../dist/account.js";
import * as organization from "../dist/organization.js";

/** What the core of the client calls itself; its other tests see each of them. */
const CORE = [
  ...["POST login", "POST register", "POST refresh", "POST logout", "POST logout-all", "GET me", "PATCH me"],
  ...["GET slack/url", "POST slack/token"],
].map((call) => call.replace(" ", " /api/auth/"));

/** Calls of browsers without this client, of NextAuth, of `/api/v1`, of proxies and other services, and of operators. */
const OF_OTHERS = new RegExp(
  "^[A-Z]+ /(?!api/)|^[A-Z]+ /api/v1/|" +
    "^[A-Z]+ /api/(revocations|auth/(introspect|verify|verify-or-sign-in))$|" +
    "^[A-Z]+ /api/auth/(slack/(start|callback)|csrf|providers|session(/exchange)?|signin.*|callback/.*|signout|error|_log)$",
);

test("every documented call has a method", async () => {
  const called = new Set(CORE);
  const hallpass = {
    request: async (method, path) => {
      if (!path.includes("object")) called.add(`${method} ${new URL(path, "http://id.example/api/auth/").pathname}`);
      return { sessions: [], invitations: [] };
    },
    slackSignIn: async ({ ask }) => ask({}),
  };
  for (const [name, act] of Object.entries({ ...account, ...organization })) {
    if (name === "withProof") continue;
    // The second argument is an id, or an object that one call looks into.
    for (const given of ["ID", { code: "ID" }]) await (async () => act(hallpass, given, "ID"))().catch(() => {});
  }
  const { paths } = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8"));
  const documented = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, "ID")}`),
  );
  const without = documented.filter((call) => !OF_OTHERS.test(call) && !called.has(call));
  assert.deepEqual(without, []);
  assert.deepEqual([...called].filter((call) => !documented.includes(call)), []);
});
