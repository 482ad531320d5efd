/** Types of options, requests and answers. */

import type { TokenStorage } from "./storage.js";

export interface HallpassOptions {
  /** The URL of Hallpass: `https://id.example.com`, or a path of the page's own origin. */
  baseUrl: string;
  /** Origins other than Hallpass's own to which `fetch()` sends the token. */
  origins?: string[];
  /** Where the token is stored between two visits; `webStorage()` by default. */
  storage?: TokenStorage;
  /** Replaces the global one. */
  fetch?: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970 on this device; `Date.now` by default. */
  now?: () => number;
}

export type Role = "employee" | "manager" | "admin";

export interface User {
  id: string;
  /** `null` for people whose Slack workspace does not share it. */
  email: string | null;
  name: string;
  /** `null` without an organization. */
  role: Role | null;
  /** The organization the token acts for; `null` for people who belong to none. */
  organizationId: string | null;
}

/** One sign-in on one device. Times are RFC 3339, in UTC. */
export interface Session {
  id: string;
  /** Its carrier: access tokens, in the header or the session cookie, or one opaque token. */
  kind: "jwt" | "token";
  device: string | null;
  address: string | null;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  /** Whether it is the session of this client. */
  current: boolean;
}

export interface Login {
  email: string;
  password: string;
  organizationId?: string;
}

/** The answer of a sign-in that lacks its second factor. */
export interface MfaChallenge {
  mfaToken: string;
  /** Seconds. */
  expiresIn: number;
  /** A second factor is required and the person has none: see `enrolTotp()` of `hallpass-client/account`. */
  enrolmentRequired?: boolean;
}

/** Joins an existing organization: an open one, or by invitation. */
export type Joining = { email: string; password: string; name: string } & (
  | { organizationId: string }
  | { invitationToken: string }
);

/** Creates an organization. One name is enough. */
export type Founding = { organizationName: string; email: string; password: string } & (
  | { firstName: string; lastName?: string }
  | { firstName?: string; lastName: string }
  | { name: string }
);

export interface Founded {
  success: true;
  message: string;
  user: { id: string; email: string; firstName: string; lastName: string };
  organization: { id: string; name: string; slug: string };
}

/** Who may do something without being asked; `domain` means addresses of the operator's choice, once verified. */
export type Policy = "open" | "domain" | "invite" | "closed";

/** What a page offers to people who are not signed in. */
export interface Options {
  /** Who may create an account. */
  registration: Policy;
  /** Who may create an organization; in one step with an account only if `registration` is `open` too. */
  organizations: Policy;
  /** The ways to sign in, and who may get an account by each. */
  providers: { id: "credentials" | "slack"; name: string; type: "credentials" | "oauth"; registration: Policy }[];
  /** In characters. */
  passwordMinLength: number;
}

/** RFC 7636, method S256. */
export interface Pkce {
  verifier: string;
  challenge: string;
}

export interface SlackSignIn {
  /** Where people return from Slack to; by default this page without query and fragment. */
  returnUrl?: string;
  /** A Slack workspace to preselect. */
  team?: string;
  /** Asks Hallpass for the URL in another way: `linkSlack()` of `hallpass-client/account` is built on it. */
  ask?: (asked: object) => Promise<object>;
  /**
   * Whether a one-time code is returned, which only this client can redeem, instead of the token itself.
   * `true` by default where WebCrypto exists; elsewhere (React Native) pass a pair.
   */
  pkce?: boolean | Pkce;
  /** Opens Slack's page; this page's `location.assign` by default. */
  navigate?: (url: string) => unknown;
}

export interface Hallpass {
  /** Throws `second_factor_required` for people with a second factor: see `hallpass-client/account`. */
  login(login: Login): Promise<User>;
  /** Joining signs in. */
  register(joining: Joining): Promise<User>;
  /** Does not sign in: an e-mail asks to verify the address first. */
  register(founding: Founding): Promise<Founded>;

  /** The signed-in person as last known; sends no request. */
  user(): Promise<User | null>;
  /** A token for what `fetch()` cannot do, e.g. a WebSocket; refreshed first after a seventh of its life, usually a day. */
  token(): Promise<string | null>;
  /** The signed-in person, as answered by Hallpass. */
  me(): Promise<User>;
  updateMe(change: { name: string }): Promise<User>;
  /**
   * Gets a new token now, e.g. to switch to another organization. Tokens are otherwise refreshed automatically.
   * Returns the signed-in person, or `null`.
   */
  refresh(change?: { organizationId?: string }): Promise<User | null>;

  /**
   * Deletes the token on this device at once, whatever happens, and ends the session.
   * Throws if Hallpass could not be reached.
   */
  logout(): Promise<void>;
  /**
   * Ends every session of this person, and the API tokens that these made; with `endApiTokens` all of them. Throws,
   * still signed in, if Hallpass could not be reached.
   */
  logoutAll(options?: { endApiTokens?: boolean }): Promise<void>;

  /** Leaves the page for Slack. */
  slackSignIn(options?: SlackSignIn): Promise<void>;
  /**
   * Completes a sign-in, a link or a reauthentication with Slack from the address, and removes its parameters from there.
   * Returns `null` for an address without them.
   */
  handleReturn(address?: string | URL | Location): Promise<User | null>;

  /**
   * An endpoint that has no method here; `path` is below `/api/auth/`. Signs in if the answer does.
   * `hallpass-client/account` is built on it.
   */
  request<T = unknown>(method: string, path: string, content?: object): Promise<T>;
  /**
   * `fetch` with the token, for Hallpass and the configured origins; plain `fetch` for all others.
   * A request with the token follows no redirect.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Called at every sign-in, sign-out and change of the user, in every tab. Returns a function that stops it. */
  onChange(listener: (user: User | null) => void): () => void;
  /** Removes every listener and closes the channel to other tabs. */
  destroy(): void;
}
