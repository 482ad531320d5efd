/** What people do with their organization: each other, invitations, services' tokens, and the log. The client goes first. */

import type { Hallpass, Role, User } from "./types.js";

type Client = Pick<Hallpass, "request">;

/** Paths of calls are below `/api/auth/`, and these are beside it. */
const beside = (path: string, parameters: object = {}): string => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined) as [string, string][];
  return `../${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
};

const segment = encodeURIComponent;

/** Which part of a long list; without `cursor` its beginning. */
export interface Page {
  /** 1 to 100; 50 unless given. */
  limit?: number;
  /** The `nextCursor` of the page before. */
  cursor?: string;
}

// --- People ------------------------------------------------------------------------------------

export interface Person extends User {
  /** Whom they report to. */
  managerId: string | null;
  disabled: boolean;
  createdAt: string;
}

export interface People {
  users: Person[];
  /** `null` on the last page. */
  nextCursor: string | null;
}

/** Whom the caller may see; with `q`, those whose name or address holds it. */
export const listUsers = (hallpass: Client, page: Page & { q?: string } = {}): Promise<People> =>
  hallpass.request("GET", beside("users", page));

export const getUser = (hallpass: Client, id: string): Promise<Person> =>
  hallpass.request("GET", beside(`users/${segment(id)}`));

export const updateUser = (
  hallpass: Client,
  id: string,
  change: { name?: string; role?: Role; managerId?: string | null; disabled?: boolean },
): Promise<Person> => hallpass.request("PATCH", beside(`users/${segment(id)}`), change);

/** Out of the organization; an account without another one is deleted. */
export const removeUser = async (hallpass: Client, id: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`users/${segment(id)}`)));

// --- The organization --------------------------------------------------------------------------

export interface OrganizationRules {
  name: string;
  joinPolicy: "open" | "domain" | "invite" | "closed";
  allowedDomains: string[];
  requireMfa: boolean;
}

export interface Organization extends OrganizationRules {
  id: string;
  slug: string;
  createdAt: string;
}

export const getOrganization = (hallpass: Client, id: string): Promise<Organization> =>
  hallpass.request("GET", beside(`organizations/${segment(id)}`));

export const updateOrganization = (
  hallpass: Client,
  id: string,
  change: Partial<OrganizationRules>,
): Promise<Organization> => hallpass.request("PATCH", beside(`organizations/${segment(id)}`), change);

/** One more organization for who is signed in; the token speaks for it from then on. */
export const joinOrganization = async (hallpass: Client, id: string): Promise<User> =>
  (await hallpass.request<{ user: User }>("POST", beside(`organizations/${segment(id)}/join`))).user;

/** `userId` may be `me`. */
export const leaveOrganization = async (hallpass: Client, id: string, userId = "me"): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`organizations/${segment(id)}/members/${segment(userId)}`)));

// --- Invitations -------------------------------------------------------------------------------

export interface Invitation {
  id: string;
  email: string;
  role: Role;
  /** `null` when the organization's rules invited, or whoever did is gone. */
  invitedBy: string | null;
  createdAt: string;
  expiresAt: string;
}

/** By mail, for seven days. Inviting again sends another letter, and voids the one before. */
export const invite = (hallpass: Client, id: string, invited: { email: string; role?: Role }): Promise<Invitation> =>
  hallpass.request("POST", beside(`organizations/${segment(id)}/invitations`), invited);

/** Those that are open. */
export const listInvitations = async (hallpass: Client, id: string): Promise<Invitation[]> =>
  (await hallpass.request<{ invitations: Invitation[] }>("GET", beside(`organizations/${segment(id)}/invitations`)))
    .invitations;

export const revokeInvitation = async (hallpass: Client, id: string, invitationId: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`organizations/${segment(id)}/invitations/${segment(invitationId)}`)));

/** With the token of the letter, by who is signed in; the others `register()` with it. */
export const acceptInvitation = async (hallpass: Client, token: string): Promise<User> =>
  (await hallpass.request<{ user: User }>("POST", beside("invitations/accept"), { token })).user;

// --- Tokens of services ------------------------------------------------------------------------

export interface ApiToken {
  id: string;
  name: string;
  role: Role;
  /** What one knows it by. */
  prefix: string;
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
}

/** `token` is shown this once. */
export const createApiToken = (
  hallpass: Client,
  token: { name: string; role?: Role; expiresAt?: string },
): Promise<ApiToken & { token: string }> => hallpass.request("POST", beside("tokens"), token);

export const listApiTokens = (
  hallpass: Client,
  page: Page = {},
): Promise<{ tokens: ApiToken[]; nextCursor: string | null }> => hallpass.request("GET", beside("tokens", page));

export const revokeApiToken = async (hallpass: Client, id: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`tokens/${segment(id)}`)));

// --- The log -----------------------------------------------------------------------------------

export interface AuditEntry {
  id: string;
  at: string;
  action: string;
  outcome: "ok" | "refused";
  actorId: string | null;
  subjectId: string | null;
  address: string | null;
  requestId: string;
}

/** Newest first, for admins. Times are RFC 3339. */
export const listAudit = (
  hallpass: Client,
  page: Page & {
    action?: string;
    outcome?: AuditEntry["outcome"];
    actorId?: string;
    subjectId?: string;
    from?: string;
    to?: string;
  } = {},
): Promise<{ entries: AuditEntry[]; nextCursor: string | null }> => hallpass.request("GET", beside("audit", page));
