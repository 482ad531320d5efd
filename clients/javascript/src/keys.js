import { bytesOf, encode } from "./token.js";

const HMAC = { name: "HMAC", hash: "SHA-256" };

/**
 * Adds a key under the headers that its tokens can have. No header is ever parsed: one that names another algorithm, or says
 * more than which key it is, is the header of no key.
 */
const add = (keys, key, alg, kid) => {
  const typ = "JWT";
  for (const header of [{ typ, alg, kid }, { alg, typ, kid }, { alg, kid, typ }, { alg, kid }]) {
    keys.set(encode(bytesOf(JSON.stringify(header))), key);
  }
};

const derive = async (secrets) => {
  const { subtle } = crypto;
  const keys = new Map();
  for (const secret of secrets.split(",")) {
    const bytes = bytesOf(secret.trim());
    const derivation = { ...HMAC, name: "HKDF", salt: bytesOf(""), info: bytesOf("hallpass kid") };
    const root = await subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits"]);
    const kid = await subtle.deriveBits(derivation, root, 64);
    add(keys, await subtle.importKey("raw", bytes, HMAC, false, ["verify"]), "HS256", encode(new Uint8Array(kid)));
  }
  return keys;
};

/** Described in index.d.ts. */
export const sharedSecret = (secrets) => {
  const keys = derive(secrets);
  return () => async (header) => (await keys).get(header);
};

/** Described in index.d.ts. Takes a fetch below the URL of Hallpass, and what to do with other keys and errors. */
export const publishedKeys = (get, changed, failed) => {
  let keys = new Map();
  let asking;
  let again = 0;

  const ask = async () => {
    const response = await get("/.well-known/jwks.json", AbortSignal.timeout(5000));
    const next = new Map();
    // Without keys Hallpass answers 404. No other key than one for ES256 can be imported as one.
    for (const jwk of response.status === 404 ? [] : (await response.json()).keys) {
      await crypto.subtle
        .importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"])
        .then((key) => add(next, key, "ES256", jwk.kid), () => {});
    }
    changed();
    return (keys = next);
  };

  return async (header) => {
    const time = performance.now();
    if (time > again) {
      again = time + 3e4;
      asking = ask().catch(failed);
    }
    const known = keys.has(header) ? keys : await asking;
    if (!known) throw "stale";
    return known.get(header);
  };
};

/** Described in index.d.ts. */
export const either = (...sources) => (...context) => {
  const finders = sources.map((source) => source(...context));
  return async (header) => {
    for (const find of finders) {
      const key = await find(header);
      if (key) return key;
    }
  };
};
