/** One person's sign-in on one device: stored, refreshed, shared between tabs, and ended. */

import type { ErrorCode } from "./error_codes.js";
import { HallpassError, type FieldFault, type SlackErrorCode } from "./errors.js";
import { memoryStorage, webStorage } from "./storage.js";
import type { Founded, Hallpass, HallpassOptions, MfaChallenge, Pkce, User } from "./types.js";

const PATIENCE = 10_000;
const WAKING = ["focus", "online", "visibilitychange"];

interface Kept {
  token: string;
  user: User;
  /**
   * When it was received, by this device's clock. Its own times are the server's and are never compared with
   * ours, so that a wrong device clock does no harm.
   */
  at: number;
  /** How many seconds it was valid then. */
  expiresIn?: number | string | null | undefined;
}

/** A sign-in with Slack that has started. */
interface Begun {
  state: string;
  verifier?: string | undefined;
}

/** Three base64url parts, safe in a header. */
const isToken = (value: unknown): value is string => /^[\w-]+(\.[\w-]+){2}$/.test(value as string);

/** RFC 7636: proves that the code is redeemed by the client that requested it. */
const makePkce = async (): Promise<Pkce> => {
  const verifier = crypto.randomUUID() + crypto.randomUUID();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return { verifier, challenge: base64.replace(/\+/g, "-").replace(/\//g, "_").replace("=", "") };
};

export function createHallpass({
  baseUrl,
  origins = [],
  storage = webStorage(),
  fetch: send = (input, init) => fetch(input, init),
  now = Date.now,
}: HallpassOptions): Hallpass {
  const base = new URL(baseUrl, globalThis.location?.href).href.replace(/\/*$/, "");
  const api = base + "/api/auth/";
  const trusted = new Set([base, ...origins].map((url) => new URL(url).origin));
  // Custom schemes, files and sandboxed frames all share the origin "null", so it identifies no one.
  trusted.delete("null");
  const key = "hallpass." + base.replace(/[^\w.-]+/g, "_");
  const slackKey = key + ".slack";
  const listeners = new Set<(user: User | null) => void>();

  /** `undefined` until storage has been read. */
  let kept: Kept | null | undefined;
  let flight: Promise<User | null> | undefined;
  let pause = 0;
  let pausedAt = 0;
  let turn: Promise<unknown> = Promise.resolve();

  /** Serializes changes: storage may be slow, and no read may overtake a write. */
  const inTurn = <T>(act: () => T | Promise<T>): Promise<T> => {
    const done = turn.then(act);
    turn = done.catch(() => {});
    return done;
  };

  const parse = (raw: string | null): Kept | null => {
    try {
      const value = JSON.parse(raw!);
      return isToken(value.token) && value.user ? value : null;
    } catch {
      return null;
    }
  };

  const take = (next: Kept | null) => {
    const user = next && next.user;
    const isNews = JSON.stringify([kept?.user]) !== JSON.stringify([user]);
    kept = next;
    // Asynchronously and separately: an error in one listener must not affect others.
    if (isNews) for (const listener of listeners) void Promise.resolve(user).then(listener);
  };

  /** Call only inside the queue. */
  const write = async (next: Kept | null) => {
    const raw = next && JSON.stringify(next);
    try {
      await (raw ? storage.setItem(key, raw) : storage.removeItem(key));
    } catch (error) {
      // Full or blocked storage: stay signed in while the page lives, but report an entry that cannot be removed.
      if (!raw) throw error;
      storage = memoryStorage();
    } finally {
      channel?.postMessage(raw);
      take(next);
    }
  };

  /** Call only inside the queue. Unshared storage is read once. */
  const reread = async () => {
    if (kept === undefined || storage.shared) {
      take(parse(await storage.getItem(key)));
    }
  };

  const load = async () => {
    if (kept === undefined) await inTurn(reread);
  };

  /** Signs out, unless another tab has stored another token in the meantime. */
  const forget = (token: string) =>
    inTurn(async () => {
      await reread();
      if (kept?.token === token) await write(null);
    });

  const mfaRequired = (challenge: object) =>
    Object.assign(new HallpassError(200, "second_factor_required"), { challenge: challenge as MfaChallenge });

  const unexpected = (status: number) => new HallpassError(status, "unexpected_answer");

  const isFor = ({ id, organizationId }: User) => kept?.user.id === id && kept.user.organizationId === organizationId;

  const age = () => (kept ? now() - kept.at : 0);

  /**
   * Older than a seventh of its life, in milliseconds: a day, if that is a week, as of tokens that earlier versions of
   * this library have stored. A time in the future came from another clock setting; a refresh corrects that.
   */
  const isOld = () => age() < 0 || age() > ((kept?.expiresIn ?? 604_800) as number) * 143;

  const accept = async (answer: object, isWanted: () => unknown = () => true): Promise<User> => {
    const { accessToken: token, expiresIn, user, mfaToken } = answer as {
      accessToken: unknown;
      expiresIn?: number | string | null;
      user: User;
      mfaToken: unknown;
    };
    if (mfaToken) throw mfaRequired(answer);
    if (!isToken(token) || !user) throw unexpected(200);
    const at = now();
    await inTurn(async () => {
      await reread();
      if (isWanted()) await write({ token, expiresIn, user, at });
    });
    return user;
  };

  const renewOnce = async (organizationId?: string): Promise<User | null> => {
    await inTurn(reread);
    const sent = kept;
    if (!sent) return null;
    const answer = await call("POST", "refresh", sent.token, organizationId ? { organizationId } : undefined);
    // Dropped if the person has signed out in the meantime or another tab was faster; but a requested switch of
    // organization counts as long as it is the same person.
    await accept(answer, () => kept?.token === sent.token || (organizationId && kept?.user.id === sent.user.id));
    return kept?.user ?? null;
  };

  /** One at a time and shared by all callers, except that a switch of organization needs its own. */
  const renew = async (organizationId?: string): Promise<User | null> => {
    while (organizationId && flight) await flight.catch(() => {});
    return (flight ??= renewOnce(organizationId).finally(() => {
      flight = undefined;
    }));
  };

  /** The current token is still valid, so a failure is ignored, and no new attempt is made for a while. */
  const tryRenew = async () => {
    const since = now() - pausedAt;
    if (since >= 0 && since < pause) return;
    try {
      await renew();
      pause = 0;
    } catch (error) {
      pausedAt = now();
      pause = ((error as HallpassError).retryAfter ?? 60) * 1000;
    }
  };

  const freshen = async () => {
    await load();
    // Another tab may have been faster.
    if (isOld()) await inTurn(reread);
    if (isOld()) await tryRenew();
  };

  const attach = async (request: Request, token: string): Promise<Response> => {
    request.headers.set("Authorization", "Bearer " + token);
    // Not every runtime removes the header when a redirect leads to another origin.
    const response = await send(request, { redirect: "manual" });
    const isRedirect = response.type === "opaqueredirect" || /30[12378]/.test(response.status as never);
    if (isRedirect && request.redirect !== "manual") {
      throw new HallpassError(response.status, "redirect_refused");
    }
    return response;
  };

  const isJudgedBad = ({ status, headers }: Response) =>
    status === 401 && /\berror="?invalid_token\b/.test(headers.get("WWW-Authenticate")!);

  /**
   * A token for a second attempt, after the first was refused.
   *
   * Another tab's newer token always helps, as long as it is for the same person and organization.
   * If Hallpass itself refused, nothing else helps: a refresh needs a valid token by the very same check,
   * so the person is signed out. Another service may have outdated secrets or clocks, or may be wrong,
   * whatever its X-Error-Code: then a refresh at Hallpass helps, ends the sign-in, or is undecided.
   * A token younger than a minute is not refreshed.
   */
  const successor = async ({ token, user }: Kept, url: string): Promise<string | false | undefined> => {
    if (url.startsWith(api)) await forget(token);
    else {
      await inTurn(reread);
      if (kept?.token === token && age() > 60_000) await tryRenew();
    }
    return isFor(user) && kept!.token !== token && kept!.token;
  };

  const authorized = async (request: Request): Promise<Response> => {
    await freshen();
    const sent = kept;
    if (!sent) return send(request);
    const again = request.clone();
    const response = await attach(request, sent.token);
    const next = isJudgedBad(response) && (await successor(sent, request.url));
    if (!next) return response;
    void response.body?.cancel();
    return attach(again, next);
  };

  /** With the stored token (`true`), with exactly this one, or with none. */
  const call = async (method: string, path: string, token: true | string = "", content?: object): Promise<object> => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), PATIENCE);
    let response: Response;
    let text: string;
    try {
      const request = new Request(api + path, {
        method,
        credentials: "omit",
        // The page may be about to unload.
        keepalive: path === "logout",
        signal: deadline.signal,
        ...(content && { body: JSON.stringify(content), headers: { "Content-Type": "application/json" } }),
      });
      response = await (token === true ? authorized(request) : token ? attach(request, token) : send(request));
      text = await response.text();
    } catch (error) {
      // Errors of fetch may quote headers, so they are not passed on.
      if (error instanceof TypeError || deadline.signal.aborted) {
        throw new HallpassError(0, "network_error");
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
    if (isToken(token) && isJudgedBad(response)) await forget(token);

    const { ok, status, headers } = response;
    let answer: { message: string; details?: FieldFault[] } | undefined;
    try {
      answer = JSON.parse(text);
    } catch {
      // Then it is not an answer of Hallpass.
    }
    if (ok && answer) return answer;
    const code = answer && headers.get("X-Error-Code");
    if (!code) throw unexpected(status);
    throw new HallpassError(
      status,
      code as ErrorCode,
      answer!.message,
      answer!.details,
      Number(headers.get("Retry-After")) || undefined,
      headers.get("X-Request-Id") || undefined,
    );
  };

  const learn = async (answer: object): Promise<User> => {
    const user = answer as User;
    await inTurn(async () => {
      if (isFor(user)) await write({ ...kept!, user });
    });
    return user;
  };

  /** Removes the sign-in with this state, adds another one, or both. */
  const begun = (state: string | null, another?: Begun): Promise<Begun | undefined> =>
    inTurn(async () => {
      const all: Begun[] = JSON.parse((await storage.getItem(slackKey)) ?? "[]");
      const found = all.find((one) => one.state === state);
      const rest = all.filter((one) => one !== found);
      // Several tabs may sign in at once; only the latest few are kept.
      if (another) rest.push(another);
      await storage.setItem(slackKey, JSON.stringify(rest.slice(-5)));
      return found;
    });

  const wake = (event: Event) => {
    if (event.type === "online") pause = 0;
    void inTurn(reread).then(freshen).catch(() => {});
  };

  WAKING.forEach((event) => globalThis.addEventListener?.(event, wake));

  // Shared storage is a shared sign-in. No locks: if two tabs refresh at once, both tokens are valid.
  let channel = storage.shared && globalThis.BroadcastChannel ? new BroadcastChannel(key) : undefined;
  if (channel) {
    channel.onmessage = ({ data }) =>
      void inTurn(() => {
        const next = parse(data);
        if (!next || !kept || next.at >= kept.at) take(next);
      });
  }

  return {
    login: async (login) => accept(await call("POST", "login", "", login)),

    register: (async (person: object): Promise<User | Founded> => {
      const answer = await call("POST", "register", "", person);
      return "organization" in answer ? (answer as Founded) : accept(answer);
    }) as Hallpass["register"],

    request: async (method, path, content) => {
      const answer = await call(method, path, true, content);
      if ("accessToken" in answer || "mfaToken" in answer) await accept(answer);
      return answer as never;
    },

    user: async () => {
      await load();
      return kept?.user ?? null;
    },

    token: async () => {
      await freshen();
      return kept?.token ?? null;
    },

    me: async () => learn(await call("GET", "me", true)),

    updateMe: async (change) => learn(await call("PATCH", "me", true, change)),

    refresh: ({ organizationId } = {}) => renew(organizationId),

    logout: async () => {
      await inTurn(reread);
      if (!kept) return;
      const { token } = kept;
      try {
        await inTurn(() => write(null));
      } finally {
        await call("POST", "logout", token).catch((error: HallpassError) => {
          if (error.status !== 401) throw error;
        });
      }
    },

    logoutAll: async (options) => {
      await call("POST", "logout-all", true, options);
      await inTurn(() => write(null));
    },

    slackSignIn: async ({
      returnUrl = location.origin + location.pathname,
      team,
      ask,
      pkce = !!globalThis.crypto?.subtle,
      navigate = (url: string) => location.assign(url),
    } = {}) => {
      const pair = pkce === true ? await makePkce() : pkce || undefined;
      const asked = { returnUrl, team, codeChallenge: pair?.challenge };
      const answer = ask
        ? ask(asked)
        : // Through JSON, because URLSearchParams would write `undefined`.
          call("GET", "slack/url?" + new URLSearchParams(JSON.parse(JSON.stringify(asked))));
      const { url, state } = (await answer) as { url: string; state: string };
      await begun("", { state, verifier: pair?.verifier });
      navigate(url);
    },

    handleReturn: async (address = location) => {
      const href = String(address);
      const url = new URL(href);
      const fragment = new URLSearchParams(url.hash.slice(1));
      const names = ["token", "code", "error", "mfaToken", "expiresIn", "state"];
      // A page may have a `?token=` or `?code=` of its own.
      const params = [fragment, url.searchParams].find(
        (some) => some.has("state") && names.slice(0, 4).some((name) => some.has(name)),
      );
      if (!params) return null;
      const [token, code, error, mfaToken, expiresIn, state] = names.map((name) => params.get(name));

      if (params === fragment) url.hash = "";
      else names.forEach((name) => params.delete(name));
      // Before anything can fail, and before other scripts read the address.
      if (globalThis.location?.href === href) history.replaceState(history.state, "", url.href);

      const found = await begun(state!);
      if (!found) throw new HallpassError(0, "state_mismatch");
      if (error) throw new HallpassError(0, error as SlackErrorCode);
      if (mfaToken) throw mfaRequired({ mfaToken, expiresIn: +expiresIn! });
      if (found.verifier)
        return accept(await call("POST", "slack/token", "", { code, codeVerifier: found.verifier }));
      if (!isToken(token)) throw unexpected(0);
      return accept({ accessToken: token, expiresIn, user: await call("GET", "me", token) });
    },

    fetch: async (input, init) => {
      const request = new Request(input, init);
      const isOurs = trusted.has(new URL(request.url).origin) && !request.headers.has("Authorization");
      return isOurs ? authorized(request) : send(request);
    },

    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    destroy: () => {
      WAKING.forEach((event) => globalThis.removeEventListener?.(event, wake));
      channel?.close();
      channel = undefined;
      listeners.clear();
    },
  };
}
