/** What goes in and what comes out. */

import type { TokenStorage } from "./storage.js";

export interface HallpassOptions {
  /** Where Hallpass is: `https://id.example.com`, or a path of the page's own origin. */
  baseUrl: string;
  /** Origins besides Hallpass's own whose calls through `fetch()` carry the token. */
  origins?: string[];
  /** Where the token lives between two visits. `webStorage()` unless given. */
  storage?: TokenStorage;
  /** Instead of the global one. */
  fetch?: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970, by this device; `Date.now` unless given. */
  now?: () => number;
}

export type Role = "employee" | "manager" | "admin";

export interface User {
  id: string;
  /** `null` for people whose Slack workspace shows none. */
  email: string | null;
  name: string;
  role: Role;
  /** The organization the token speaks for. */
  organizationId: string;
}

/** One sign-in on one device. Times are RFC 3339, in UTC. */
export interface Session {
  id: string;
  /** What carries it: access tokens, in the header or the session cookie, or one opaque token. */
  kind: "jwt" | "token";
  device: string | null;
  address: string | null;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  /** The session of this client. */
  current: boolean;
}

export interface Login {
  email: string;
  password: string;
  organizationId?: string;
}

/** What a sign-in answers that lacks its second factor. */
export interface MfaChallenge {
  mfaToken: string;
  /** Seconds. */
  expiresIn: number;
  /** The organization demands a second factor, and the person has none yet: `enrolTotp()` of `hallpass-client/account`. */
  enrolmentRequired?: boolean;
}

/** To an organization that is there: open to everybody, or by invitation. */
export type Joining = { email: string; password: string; name: string } & (
  | { organizationId: string }
  | { invitationToken: string }
);

/** With an organization of one's own. */
export interface Founding {
  organizationName: string;
  firstName: string;
  lastName: string;
  email: string;
  password: string;
}

export interface Founded {
  success: true;
  message: string;
  user: { id: string; email: string; firstName: string; lastName: string };
  organization: { id: string; name: string; slug: string };
}

/** RFC 7636, method S256. */
export interface Pkce {
  verifier: string;
  challenge: string;
}

export interface SlackSignIn {
  /** Where Slack's people come back to; this page without query and fragment unless given. */
  returnUrl?: string;
  /** A Slack workspace to propose. */
  team?: string;
  /**
   * Whether a one-time code comes back, which only this client can redeem, instead of the token itself.
   * `true` wherever WebCrypto is; elsewhere (React Native) give a pair.
   */
  pkce?: boolean | Pkce;
  /** Opens Slack's page; this page's `location.assign` unless given. */
  navigate?: (url: string) => unknown;
}

export interface Hallpass {
  /** Throws `second_factor_required` for a person with a second factor: see `verifyMfa()` of `hallpass-client/account`. */
  login(login: Login): Promise<User>;
  /** Joining signs in. */
  register(joining: Joining): Promise<User>;
  /** Founding does not sign in: a mail asks to confirm the address first. */
  register(founding: Founding): Promise<Founded>;

  /** Who is signed in, as last heard of; asks nobody. */
  user(): Promise<User | null>;
  /** A token for what `fetch()` cannot do, e.g. a WebSocket; refreshed first if it is a day old. */
  token(): Promise<string | null>;
  /** Who is signed in, asked of Hallpass. */
  me(): Promise<User>;
  updateMe(change: { name: string }): Promise<User>;
  /**
   * Gets a new token now, e.g. to switch to another organization. The others are refreshed unasked.
   * Answers who is signed in then; `null` if nobody was.
   */
  refresh(change?: { organizationId?: string }): Promise<User | null>;

  /**
   * Forgets the token on this device at once, whatever happens, and ends the session.
   * Throws when Hallpass could not be told.
   */
  logout(): Promise<void>;
  /** Ends every session of this person. Throws, still signed in, when Hallpass could not be told. */
  logoutAll(): Promise<void>;

  /** Leaves for Slack. */
  slackSignIn(options?: SlackSignIn): Promise<void>;
  /**
   * Takes up what Slack's sign-in left in the address, and removes it from there.
   * Answers `null` for an address without such a thing.
   */
  handleReturn(address?: string | URL | Location): Promise<User | null>;

  /**
   * A call of Hallpass's that has no method here; `path` is below `/api/auth/`. Signs in if the answer does.
   * `hallpass-client/account` is made of it.
   */
  request<T = unknown>(method: string, path: string, content?: object): Promise<T>;
  /**
   * `fetch` with the token, for Hallpass and the configured origins; for all others the plain one.
   * What carries the token follows no redirect.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Told of every sign-in, sign-out and change of the user, in every tab. Answers how to stop that. */
  onChange(listener: (user: User | null) => void): () => void;
  /** Removes every listener and closes the channel to other tabs. */
  destroy(): void;
}
