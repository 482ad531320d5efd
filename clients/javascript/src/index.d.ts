/** What a token says, once its signature is verified. Frozen. */
export interface Claims {
  /** The user. */
  readonly sub: string;
  /** The organization that the token speaks for, and the role in it: both or neither. */
  readonly orgId?: string;
  readonly role?: "employee" | "manager" | "admin";
  /** The session. */
  readonly sid: string;
  /** The user's token version. */
  readonly ver: number;
  /** The user's permissions version; 0 in tokens that have none. */
  readonly pv: number;
  /** Seconds since 1970. */
  readonly iat: number;
  /** Seconds since 1970; from this second on the token is expired. */
  readonly exp: number;
  readonly iss?: string;
  readonly aud?: string | readonly string[];
  readonly [claim: string]: unknown;
}

/**
 * - `ok`: go on.
 * - `expired`, `revoked`: answer 401 `invalid_token`; the person has to sign in again.
 * - `outdated`: role, membership or rules have changed. Answer 401 `invalid_token`; the client refreshes and goes on.
 * - `invalid`: not a token of this Hallpass, or not for this service. Answer 401 `invalid_token`.
 * - `stale`: cannot be judged now, because Hallpass was not heard for too long. Answer 503 with `Retry-After`, never 401,
 *   which would sign everyone out.
 */
export type Result =
  | { readonly status: "ok"; readonly claims: Claims }
  | { readonly status: "expired" | "revoked" | "outdated" | "invalid" | "stale"; readonly claims?: undefined };

/** Where keys come from: `sharedSecret(…)`, `publishedKeys`, or `either(…)`. */
export type Keys = (
  get: (path: string, signal?: AbortSignal) => Promise<Response>,
  changed: () => void,
  failed: (error: unknown) => void,
) => (header: string) => Promise<CryptoKey | undefined>;

/** How the whole list is loaded at the start: `packed`. */
export type Load = (ask: (accept: string, milliseconds: number) => Promise<Response>) => Promise<unknown[]>;

export interface Options {
  /** Of Hallpass, without a slash at the end: `https://id.example.com`. */
  url: string;
  /** A key of `hallpass service add`: `hps_…`. */
  key: string;
  /** Which keys sign tokens. */
  keys: Keys;
  /** `JWT_ISSUER` and `JWT_AUDIENCE` of Hallpass, where they are set. A token with an `aud` is refused without. */
  issuer?: string;
  audience?: string;
  /** Loads the first list at once: `packed`. Without it the list comes in the stream. */
  load?: Load;
  /**
   * Seconds without news of Hallpass after which every token is `stale` that is not known to be worse. 30 by default; 0
   * refuses all at once, `Infinity` none. News come every second, so less than 3 refuses at the least delay.
   */
  stale?: number;
  /** Called with what fails at the feed or the key set, once until it fails otherwise. `console.error` by default. */
  onError?: (error: unknown) => void;
  /** For tests: `fetch`, `Date.now` and `performance.now`. */
  fetch?: typeof fetch;
  now?: () => number;
  monotonic?: () => number;
}

export interface Verifier {
  /** Judges a token. Never throws. */
  verify(token: string): Promise<Result>;
  /** Resolves when the list is there, or could not be had. Begins to follow the feed, as `verify` does. */
  ready(): Promise<void>;
  /** Ends the connection; every token is `stale` soon. */
  close(): void;
}

export function createVerifier(options: Options): Verifier;

/** `JWT_SECRET` of Hallpass as it is, with commas between several: for HS256, the default. */
export function sharedSecret(secrets: string): Keys;

/** The keys at `/.well-known/jwks.json`: for ES256. */
export const publishedKeys: Keys;

/** Several sources of keys, e.g. while Hallpass goes over from HS256 to ES256. The first that knows a key counts. */
export function either(...sources: Keys[]): Keys;

/** Loads the list in its packed form: 8 bytes a session instead of 60. Worth it from some 10,000 entries. */
export const packed: Load;
