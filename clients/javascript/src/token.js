export const bytesOf = (text) => new TextEncoder().encode(text);

/** Base64url. */
export const encode = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

/** Takes more than one spelling of the same bytes: whoever decodes compares what these encode to. */
const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt());

/** `sub,sid,orgId,role`, of which the last two may both be missing. */
const WHO = /^([\da-f-]{36},){2}([\da-f-]{36},(employee|manager|admin)|,)$/;

/**
 * The claims of an access token as Hallpass writes it. Throws if it is not valid, or not for us.
 *
 * @param {(header: string) => Promise<CryptoKey | undefined>} find
 */
export const readToken = async (token, find, now, issuer, audience) => {
  if (token[4096]) throw "";
  const [header, payload, tag, more] = token.split(".");
  const claims = JSON.parse(new TextDecoder().decode(decode(payload)));
  const signature = decode(tag);
  const key = await find(header);
  const isOurs =
    more == null &&
    encode(signature) === tag &&
    // `JSON.parse` takes more than one spelling too, such as a name twice, or 1.0.
    encode(bytesOf(JSON.stringify(claims))) === payload &&
    key &&
    (await crypto.subtle.verify({ ...key.algorithm, hash: "SHA-256" }, key, signature, bytesOf(header + "." + payload))) &&
    WHO.test([claims.sub, claims.sid, claims.orgId, claims.role]) &&
    [claims.iat, claims.exp, claims.ver, (claims.pv ??= 0)].every(Number.isInteger) &&
    claims.iat <= now + 60 &&
    claims.iat < claims.exp &&
    claims.exp - claims.iat <= 604800 &&
    !(claims.nbf > now) &&
    (!issuer || claims.iss === issuer) &&
    [claims.aud].flat().includes(audience); // Both may be undefined.
  if (!isOurs) throw "";
  return Object.freeze(claims);
};
