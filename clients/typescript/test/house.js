/** A server that implements the contract over real HTTP, a clock to move, and a few browser globals. */

import { createServer } from "node:http";
import { once } from "node:events";

import { createHallpass } from "../dist/index.js";

const WEEK = 604_800;
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Device and server have separate clocks: `clock.now` is the device's. */
export class Clock {
  device = Date.parse("2026-11-22T12:00:00Z");
  server = this.device;
  now = () => this.device;
  advance(milliseconds) {
    this.device += milliseconds;
    this.server += milliseconds;
  }
}

async function listen(handle) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    await handle(request, response, text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", "X-Request-Id": "r-1", ...headers });
  response.end(JSON.stringify(body));
}

function refuse(response, statusCode, code, message, headers = {}) {
  answer(response, statusCode, { statusCode, message, error: "…" }, { "X-Error-Code": code, ...headers });
}

const JUDGED_BAD = { "WWW-Authenticate": 'Bearer error="invalid_token"' };

export class Server {
  ada = { id: "u-ada", email: "ada@acme.example", name: "Ada", role: "admin", organizationId: "o-acme" };
  bob = { id: "u-bob", email: "bob@acme.example", name: "Bob", role: "employee", organizationId: "o-acme" };
  options = {
    registration: "invite",
    organizations: "closed",
    providers: [{ id: "credentials", name: "E-mail and password", type: "credentials", registration: "invite" }],
    passwordMinLength: 8,
  };
  /** The requests, e.g. `POST refresh`, with headers and body. */
  heard = [];
  ended = new Set();
  /** Seconds. */
  life = WEEK;
  /** Replace the server's answers, once each: `[name of the call, (response) => …]`. */
  faults = [];
  /** A promise every refresh waits for. */
  gate = undefined;
  codes = new Map();
  /** Pending sign-ins, by their `mfaToken`. */
  challenges = new Map();
  #tokens = 0;
  #sessions = 0;

  static async open(t, clock) {
    const server = new Server();
    server.clock = clock;
    Object.assign(server, await listen((...all) => server.#handle(...all)));
    t.after(server.close);
    return server;
  }

  calls(name) {
    return this.heard.filter((one) => one.name === name);
  }

  token(user, sid = `s-${++this.#sessions}`) {
    const iat = Math.floor(this.clock.server / 1000);
    const claims = { sub: user.id, orgId: user.organizationId, role: user.role, sid, iat, exp: iat + this.life };
    return `${base64url({ alg: "HS256" })}.${base64url(claims)}.mac-${++this.#tokens}`;
  }

  signedIn(user, sid) {
    return { accessToken: this.token(user, sid), expiresIn: this.life, user };
  }

  #judge(request, response) {
    const token = request.headers.authorization?.replace("Bearer ", "");
    if (!token) {
      refuse(response, 401, "authentication_required", "Authentication required", { "WWW-Authenticate": "Bearer" });
      return;
    }
    const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    if (this.ended.has(claims.sid)) return void refuse(response, 401, "token_revoked", "Token revoked", JUDGED_BAD);
    if (claims.exp * 1000 <= this.clock.server) {
      return void refuse(response, 401, "token_expired", "Token expired", JUDGED_BAD);
    }
    return claims;
  }

  async #handle(request, response, text) {
    const url = new URL(request.url, this.url);
    const name = `${request.method} ${url.pathname.replace("/api/auth/", "")}`;
    const body = text ? JSON.parse(text) : undefined;
    this.heard.push({ name, url, body, headers: request.headers });
    const fault = this.faults.findIndex(([of]) => of === name);
    if (fault >= 0) return this.faults.splice(fault, 1)[0][1](response);

    const open = {
      "POST login": () => {
        const user = [this.ada, this.bob].find(({ email }) => email === body.email);
        if (user && body.password === "right") return answer(response, 200, this.signedIn(user));
        refuse(response, 401, "invalid_credentials", "Invalid credentials", { "WWW-Authenticate": "Bearer" });
      },
      "POST register": () => {
        if (body.email === "") {
          const details = [{ field: "email", code: "invalid_email", message: "Not an address" }];
          const message = "Validation failed";
          return answer(response, 400, { statusCode: 400, message, error: "Bad Request", details }, {
            "X-Error-Code": "validation_failed",
          });
        }
        if (!body.organizationName) return answer(response, 201, this.signedIn(this.bob));
        answer(response, 201, {
          success: true,
          message: "Account created successfully. Please check your email to verify your account.",
          user: { id: "u-1", email: body.email, firstName: body.firstName, lastName: body.lastName },
          organization: { id: "o-1", name: body.organizationName, slug: "acme" },
        });
      },
      "GET slack/url": () => {
        const state = `state-${this.heard.length}`;
        answer(response, 200, { url: `https://slack.com/oauth/v2/authorize?state=${state}`, state, callbackUrl: "…", type: "signin" });
      },
      "POST mfa/verify": () => {
        const user = this.challenges.get(body.mfaToken);
        if (!user) return refuse(response, 400, "invalid_or_expired_token", "Invalid or expired token");
        if (body.code !== "123456") return refuse(response, 401, "invalid_code", "Invalid code", { "WWW-Authenticate": "Bearer" });
        this.challenges.delete(body.mfaToken);
        answer(response, 200, this.signedIn(user));
      },
      "GET options": () => answer(response, 200, this.options),
      "POST forgot-password": () => answer(response, 200, { success: true }),
      "POST reset-password": () => answer(response, 200, { success: true }),
      "POST verify-email": () => answer(response, 200, { success: true }),
      "POST slack/token": () => {
        const user = this.codes.get(body.code)?.(body.codeVerifier);
        this.codes.delete(body.code);
        if (user) return answer(response, 200, this.signedIn(user));
        refuse(response, 400, "sign_in_expired", "Sign-in expired");
      },
    }[name];
    if (open) return open();

    if (name === "POST refresh") await this.gate;
    const claims = this.#judge(request, response);
    if (!claims) return;
    const user = [this.ada, this.bob].find(({ id }) => id === claims.sub);
    const speaking = { ...user, organizationId: claims.orgId };
    const end = (sid) => {
      this.ended.add(sid);
      answer(response, 200, { success: true });
    };
    const toSlack = () => {
      const state = `state-${this.heard.length}`;
      answer(response, 200, { url: `https://slack.com/oauth/v2/authorize?state=${state}`, state });
    };
    const known = {
      "POST slack/link": toSlack,
      "POST slack/reauthenticate": toSlack,
      "POST refresh": () =>
        answer(response, 200, this.signedIn({ ...speaking, ...body }, claims.sid)),
      "GET me": () => answer(response, 200, speaking),
      "PATCH me": () => {
        user.name = body.name;
        answer(response, 200, { ...speaking, ...body });
      },
      "POST change-password": () => answer(response, 200, { success: true }),
      "POST logout": () => end(claims.sid),
      "POST logout-all": () => end(claims.sid),
      "POST mfa/totp": () => answer(response, 200, { secret: "GEZDGNBVGY3TQOJQ", otpauthUri: "otpauth://totp/…", qrCode: "<svg/>" }),
      "POST mfa/totp/confirm": () => answer(response, 200, { recoveryCodes: ["abcde-fghij"] }),
      "DELETE mfa/totp": () => answer(response, 200, { success: true }),
      "GET sessions": () => answer(response, 200, { sessions: [{ id: claims.sid, current: true }] }),
      "DELETE sessions/s%2F7": () => answer(response, 200, { success: true }),
    }[name];
    known ? known() : refuse(response, 404, "not_found", "Not Found");
  }
}

export const fault = {
  silence: () => {},
  hangUp: (response) => response.destroy(),
  html: (status) => (response) => response.writeHead(status, { "Content-Type": "text/html" }).end("<html>"),
  busy: (response) => refuse(response, 503, "busy", "Service busy", { "Retry-After": "7" }),
  invalidToken: (response) => refuse(response, 401, "invalid_token", "Invalid token", JUDGED_BAD),
};

/** Another service: it accepts the tokens that `accepts` allows, and records its requests. */
export class Service {
  heard = [];
  accepts = () => true;
  challenge = JUDGED_BAD;
  status = 401;
  redirectsTo = undefined;

  static async open(t) {
    const service = new Service();
    Object.assign(service, await listen((...all) => service.#handle(...all)));
    t.after(service.close);
    return service;
  }

  get tokens() {
    return this.heard.map(({ headers }) => headers.authorization);
  }

  #handle(request, response, text) {
    this.heard.push({ method: request.method, path: request.url, headers: request.headers, text });
    if (this.redirectsTo) return response.writeHead(302, { Location: this.redirectsTo }).end();
    if (this.accepts(request.headers.authorization)) return answer(response, 200, { orders: [] });
    answer(response, this.status, {}, this.challenge);
  }
}

/** Storage that every tab of an origin shares. */
export function sharedStorage() {
  const entries = new Map();
  return {
    entries,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
    shared: true,
  };
}

/** A window's events, history and address, for the duration of a test. */
export function browser(t, href = "https://app.example/") {
  const events = new EventTarget();
  const listeners = [];
  const browser = {
    listeners,
    location: { assigned: [], assign: (url) => browser.location.assigned.push(url), toString: () => browser.location.href },
    go: (to) => Object.assign(browser.location, { href: to, origin: new URL(to).origin, pathname: new URL(to).pathname }),
    fire: (type) => events.dispatchEvent(new Event(type)),
  };
  browser.go(href);
  const globals = {
    location: browser.location,
    history: { state: { page: 3 }, replaceState: (state, _, to) => (browser.go(to), (browser.historyState = state)) },
    addEventListener: (type, listener) => {
      listeners.push(type);
      events.addEventListener(type, listener);
    },
    removeEventListener: (type, listener) => {
      listeners.splice(listeners.indexOf(type), 1);
      events.removeEventListener(type, listener);
    },
  };
  const before = Object.entries(globals).map(([name, value]) => {
    const old = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    return [name, old];
  });
  t.after(() => {
    for (const [name, old] of before) old ? Object.defineProperty(globalThis, name, old) : delete globalThis[name];
  });
  return browser;
}

/** Server, clock and client of one test. */
export async function setUp(t, options = {}) {
  const clock = new Clock();
  const server = await Server.open(t, clock);
  const open = (more = {}) => {
    const hallpass = createHallpass({ baseUrl: server.url, now: clock.now, ...options, ...more });
    t.after(hallpass.destroy);
    return hallpass;
  };
  return { clock, server, open, hallpass: open() };
}

export const signIn = (hallpass, email = "ada@acme.example") => hallpass.login({ email, password: "right" });

/** Waits until the condition holds, and fails if it never does. */
export async function until(holds) {
  const end = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never came true: ${holds}`);
    await new Promise((resume) => setImmediate(resume));
  }
}

export function gate() {
  let open;
  const promise = new Promise((resolve) => (open = resolve));
  return { promise, open };
}
