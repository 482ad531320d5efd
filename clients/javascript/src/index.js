import { readToken } from "./token.js";
import { revocations } from "./list.js";
import { eventReader } from "./events.js";

export { either, publishedKeys, sharedSecret } from "./keys.js";
export { packed } from "./packed.js";

/** Described in index.d.ts. One closure, because that is what compresses to two kilobytes. */
export const createVerifier = ({
  url,
  key,
  keys,
  issuer,
  audience,
  load,
  stale = 30,
  fetch = globalThis.fetch,
  now = Date.now,
  monotonic = () => performance.now(),
  onError = console.error,
}) => {
  let seen; // Claims by token, of those whose signatures are good.
  let list;
  let cursor = "";
  let freshAt; // When the list was last known to be complete.
  let connection;
  let timer;
  let due = -Infinity; // A second after the time at which the timer should have acted.
  let wait; // Milliseconds.
  let attempt;
  let settle;
  let said;

  const failed = (error) => {
    if (said !== (said = "" + error)) onError(error);
  };
  const forget = () => (seen = new Map());
  forget();
  const get = (path, signal, headers) => fetch(url + path, { signal, headers });
  const find = keys(get, forget, failed);

  const after = (milliseconds, act) => {
    due = monotonic() + milliseconds + 1000;
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };

  // The feed says something every second: a connection that is silent for five is dead.
  const listen = (milliseconds = 5000) => after(milliseconds, () => connection.abort());

  const ask = async (accept, milliseconds) => {
    listen(milliseconds);
    const response = await get("/api/revocations", connection.signal, {
      "last-event-id": cursor,
      authorization: "Bearer " + key,
      accept,
      "accept-encoding": "identity",
    });
    if (!response.ok) throw Error("HTTP " + response.status);
    return response;
  };

  const connect = async () => {
    if (!list && load) [list, cursor] = await load(ask);
    const utf8 = new TextDecoder();
    let next;
    const read = eventReader(cursor, (type, data, id) => {
      if (type === "reset") next = revocations();
      if (!type) (next ?? list)?.add(JSON.parse(data));
      if (type === "fresh") {
        settle();
        wait = 0;
        cursor = id;
        list = next ?? list;
        next = said = null;
        freshAt = list && monotonic();
      }
    });
    for await (const piece of (await ask("text/event-stream")).body) {
      listen();
      read(utf8.decode(piece, { stream: true }));
    }
  };

  const run = async () => {
    const mine = (connection = new AbortController());
    attempt = new Promise((resolve) => (settle = resolve));
    const error = await connect().catch((error) => error);
    if (mine !== connection) return;
    settle();
    if (error) failed(error);
    wait = Math.min(wait * 2, 2500) || 500;
    after(wait + wait * Math.random(), run);
  };

  // Also begins again where timers and connections end with the request that began them, as in Workers.
  const ready = () => {
    if (monotonic() > due) run();
    return attempt;
  };

  return {
    async verify(token) {
      ready();
      const memory = seen.size > 2e4 ? forget() : seen; // Another one when the keys have changed meanwhile.
      try {
        let claims = memory.get(token);
        if (!claims) memory.set(token, (claims = await readToken(token, find, now() / 1e3, issuer, audience)));
        const status =
          claims.exp * 1e3 <= now()
            ? "expired"
            : list?.judge(claims) || (monotonic() - freshAt <= stale * 1e3 ? "ok" : "stale");
        return status === "ok" ? { status, claims } : { status };
      } catch (reason) {
        return { status: reason === "stale" ? reason : "invalid" };
      }
    },
    ready,
    close() {
      connection?.abort();
      connection = 0;
      due = Infinity;
      clearTimeout(timer);
    },
  };
};
