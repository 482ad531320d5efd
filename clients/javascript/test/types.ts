/** Compiled, never run: what the types allow, and what they do not. */

import { createVerifier, either, packed, publishedKeys, sharedSecret, type Claims } from "../src/index.js";

const verifier = createVerifier({
  url: "https://id.example.com",
  key: "hps_…",
  keys: either(sharedSecret("…"), publishedKeys),
  load: packed,
  stale: Infinity,
  onError: (error) => console.error(error),
});

export async function user(token: string): Promise<string | undefined> {
  await verifier.ready();
  const { status, claims } = await verifier.verify(token);
  if (status === "ok") {
    const { sub, orgId, role, pv }: Claims = claims;
    // @ts-expect-error claims cannot be changed
    claims.role = "admin";
    return pv > 0 && role === "admin" ? sub : orgId;
  }
  // @ts-expect-error there are none
  return claims.sub;
}

// @ts-expect-error a verifier needs keys
createVerifier({ url: "https://id.example.com", key: "hps_…" });
