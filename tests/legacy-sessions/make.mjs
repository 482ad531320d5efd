// Makes the session tokens of other systems, with their real packages: `npm ci --legacy-peer-deps && node make.mjs`.
// The tests of src/crypto/legacy_session and tests/it/legacy_sessions read ../vectors/legacy_sessions.json.
import { createRequire } from "node:module";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
import * as authjs from "@auth/core/jwt";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import express from "express-session";
import * as jose from "jose";
import jsonwebtoken from "jsonwebtoken";

const require = createRequire(import.meta.url);
const nextauth = require("next-auth/jwt");
const { SessionStore } = require(new URL("node_modules/next-auth/core/lib/cookie.js", import.meta.url).pathname);

const secret = "an old secret of the application that is 48 bytes long!";
const older = "an even older secret of the same application....";
const now = Math.floor(Date.now() / 1000);
const day = 86_400;
const person = { name: "Ada Example", email: "ada@example.com", picture: null, sub: "ckx1ada0000" };
const vectors = [];

/** How a token is told in the file: what it holds is written beside it, as the package that made it reads it. */
const add = (name, source, cookies, told) => vectors.push({ name, source, secret, cookies, ...told });
const claims = ({ sub, iat, exp }) => ({ subject: sub, issued_at: iat, expires_at: exp });

// NextAuth 4
const SECURE4 = "__Secure-next-auth.session-token";
for (const [name, token] of [
  ["nextauth 4", person],
  ["nextauth 4 without a subject", { value: "a state of OAuth" }],
]) {
  const jwe = await nextauth.encode({ token, secret, maxAge: 30 * day });
  const read = await nextauth.decode({ token: jwe, secret });
  add(name, "nextauth", { [SECURE4]: jwe }, claims(read));
}
const large = await nextauth.encode({ token: { ...person, roles: "r".repeat(9000) }, secret, maxAge: 30 * day });
const option = { name: SECURE4, options: { path: "/", secure: true } };
const store = new SessionStore(option, { cookies: {}, headers: {} }, console);
const chunks = store.chunk(large, {}).map(({ name, value }) => [name, value]);
add("nextauth 4 in parts", "nextauth", Object.fromEntries(chunks), claims(await nextauth.decode({ token: large, secret })));

// Auth.js 5: the key depends on the cookie's name.
for (const salt of ["authjs.session-token", "__Secure-authjs.session-token"]) {
  const jwe = await authjs.encode({ token: person, secret, maxAge: 30 * day, salt });
  add(`authjs 5 ${salt}`, "authjs", { [salt]: jwe }, claims(await authjs.decode({ token: jwe, secret, salt })));
}
const salt = "__Secure-authjs.session-token";
const old = await authjs.encode({ token: person, secret: older, maxAge: 30 * day, salt });
const read = await authjs.decode({ token: old, secret: [secret, older], salt });
add("authjs 5 of the older secret", "authjs", { [salt]: old }, { ...claims(read), secret: `${secret},${older}` });
const elsewhere = await authjs.encode({ token: person, secret, maxAge: 30 * day, salt: "another.cookie" });
add("authjs 5 of another cookie", "authjs", { [salt]: elsewhere }, {});

// better-auth: the cookie holds the signed token of a row.
const rows = { user: [], account: [], session: [], verification: [] };
const better = betterAuth({
  baseURL: "https://old.example.com",
  secret,
  database: memoryAdapter(rows),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
});
const { headers } = await better.api.signUpEmail({
  body: { name: person.name, email: person.email, password: "correct horse battery staple" },
  returnHeaders: true,
});
const pair = headers.getSetCookie().find((it) => it.includes(".session_token=")).split(";")[0];
const [cookie, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
add("better-auth", "better-auth", { [cookie]: value }, { stored: rows.session[0].token });

// express-session
const served = express({ secret, resave: false, saveUninitialized: true, name: "connect.sid" });
const server = createServer((request, response) => served(request, response, () => response.end(request.sessionID)));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
const sid = answer.headers.getSetCookie()[0].split(";")[0].split("=");
add("express-session", "express", { [sid[0]]: sid[1] }, { stored: await answer.text() });
server.close();

// Tokens of an application of one's own, and of Supabase, which has the same form.
const sign = (payload, options = {}) =>
  jsonwebtoken.sign({ sub: person.sub, iat: now, exp: now + 7 * day, ...payload }, secret, options);
const told = (token) => ({ token, ...claims(jsonwebtoken.verify(token, secret)) });
const supabase = {
  aud: "authenticated",
  role: "authenticated",
  email: person.email,
  session_id: "a14b7a53-5e59-4a2f-9b15-3a0ad3c1a8d0",
  is_anonymous: false,
};
add("supabase", "supabase", {}, told(sign(supabase)));
add("supabase, anonymous", "supabase", {}, { token: sign({ ...supabase, is_anonymous: true }) });
add("supabase, a service", "supabase", {}, { token: sign({ ...supabase, aud: "service_role" }) });
add("jwt HS256", "jwt", {}, told(sign({ role: "admin" })));
add("jwt HS384", "jwt", {}, { token: sign({}, { algorithm: "HS384" }) });
add("jwt without a signature", "jwt", {}, { token: jsonwebtoken.sign({ sub: person.sub }, "", { algorithm: "none" }) });

// Keys that others publish.
const kid = "key-1";
const keys = [];
for (const [alg, type, options] of [
  ["RS256", "rsa", { modulusLength: 2048 }],
  ["ES256", "ec", { namedCurve: "P-256" }],
]) {
  const { privateKey, publicKey } = generateKeyPairSync(type, options);
  keys.push({ ...(await jose.exportJWK(publicKey)), kid: `${alg}-${kid}`, alg, use: "sig" });
  const token = await new jose.SignJWT({ aud: "authenticated", iss: "https://old.example.com" })
    .setProtectedHeader({ alg, kid: `${alg}-${kid}`, typ: "JWT" })
    .setSubject(person.sub)
    .setIssuedAt(now)
    .setExpirationTime(now + 7 * day)
    .sign(privateKey);
  const read = claims((await jose.jwtVerify(token, publicKey)).payload);
  add(`jwt ${alg}`, "jwt", {}, { token, ...read, secret: null });
}
// All of them are tried with the whole set.
const set = JSON.stringify({ keys });
for (const vector of vectors) vector.secret ??= set;

const file = new URL("../vectors/legacy_sessions.json", import.meta.url);
writeFileSync(file, JSON.stringify({ made_at: now, vectors }, null, 1) + "\n");
