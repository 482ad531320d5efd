/** An organization's people, invitations, API tokens and audit log. Each function takes the client first. */

import type { Hallpass, Policy, Role, User } from "./types.js";

type Client = Pick<Hallpass, "request">;

/** `call` takes paths below `/api/auth/`; these are elsewhere. */
const beside = (path: string, parameters: object = {}): string => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined) as [string, string][];
  return `../${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
};

const segment = encodeURIComponent;

/** A part of a long list; the first one without `cursor`. */
export interface Page {
  /** 1 to 100; the default is 100. */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
}

// --- People ------------------------------------------------------------------------------------

export interface Person extends User {
  /** The id that they had in the system they were imported from, if they were. */
  externalId?: string;
  /** The id of their manager. */
  managerId: string | null;
  disabled: boolean;
  /** Until when wrong passwords have locked the account, or `null`; for admins only. */
  lockedUntil?: string | null;
  createdAt: string;
}

export interface People {
  users: Person[];
  /** `null` on the last page. */
  nextCursor: string | null;
}

/** The people whom the caller may see; with `q`, those whose name or address contains it. */
export const listUsers = (hallpass: Client, page: Page & { q?: string } = {}): Promise<People> =>
  hallpass.request("GET", beside("users", page));

export const getUser = (hallpass: Client, id: string): Promise<Person> =>
  hallpass.request("GET", beside(`users/${segment(id)}`));

export const updateUser = (
  hallpass: Client,
  id: string,
  change: { name?: string; role?: Role; managerId?: string | null; disabled?: boolean },
): Promise<Person> => hallpass.request("PATCH", beside(`users/${segment(id)}`), change);

/** Removes a person from the organization; an account without other memberships is deleted. */
export const removeUser = async (hallpass: Client, id: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`users/${segment(id)}`)));

/** Ends the locks that wrong passwords have caused. */
export const unlockUser = async (hallpass: Client, id: string): Promise<void> =>
  void (await hallpass.request("POST", beside(`users/${segment(id)}/unlock`)));

// --- The organization --------------------------------------------------------------------------

export interface OrganizationRules {
  name: string;
  joinPolicy: Policy;
  allowedDomains: string[];
  requireMfa: boolean;
  /** Seconds that an access token is valid; `null`: as on the instance. */
  tokenLifetime: number | null;
  /** Seconds after which a session ends; `null`: as on the instance. */
  sessionLifetime: number | null;
  /** Seconds without a refresh after which a session ends; `null`: as on the instance. */
  sessionIdle: number | null;
}

export interface Organization extends OrganizationRules {
  id: string;
  slug: string;
  createdAt: string;
}

/** One of the signed-in person's organizations. */
export interface OwnOrganization {
  id: string;
  name: string;
  slug: string;
  /** Their role in it. */
  role: Role;
  /** Whether the token acts for it. */
  current: boolean;
}

/** The signed-in person's organizations, at most a hundred. `hallpass.refresh({ organizationId })` switches. */
export const listOrganizations = async (hallpass: Client): Promise<OwnOrganization[]> =>
  (await hallpass.request<{ organizations: OwnOrganization[] }>("GET", beside("organizations"))).organizations;

/** The signed-in person becomes its admin. A name without a spelling in Latin letters needs a `slug`. */
export const createOrganization = (
  hallpass: Client,
  organization: { name: string; slug?: string },
): Promise<Organization> => hallpass.request("POST", beside("organizations"), organization);

export const getOrganization = (hallpass: Client, id: string): Promise<Organization> =>
  hallpass.request("GET", beside(`organizations/${segment(id)}`));

/** A former slug goes on leading to the organization. */
export const updateOrganization = (
  hallpass: Client,
  id: string,
  change: Partial<OrganizationRules & { slug: string }>,
): Promise<Organization> => hallpass.request("PATCH", beside(`organizations/${segment(id)}`), change);

/** Deletes the organization for good; its `name` confirms it, and its members keep their accounts. Wants a recent proof. */
export const deleteOrganization = async (hallpass: Client, id: string, name: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`organizations/${segment(id)}`), { name }));

/** A member as every other one sees them. */
export interface Member {
  id: string;
  name: string;
  email: string | null;
  role: Role;
  joinedAt: string;
}

export const listMembers = (
  hallpass: Client,
  id: string,
  page: Page = {},
): Promise<{ members: Member[]; nextCursor: string | null }> =>
  hallpass.request("GET", beside(`organizations/${segment(id)}/members`, page));

/** Adds the signed-in person to another organization; the token then acts for that one. */
export const joinOrganization = async (hallpass: Client, id: string): Promise<User> =>
  (await hallpass.request<{ user: User }>("POST", beside(`organizations/${segment(id)}/join`))).user;

/** As `joinOrganization()`, by the token of a join link or by slug. */
export const joinBy = async (hallpass: Client, by: { token: string } | { slug: string }): Promise<User> =>
  (await hallpass.request<{ user: User }>("POST", beside("organizations/join"), by)).user;

/** `userId` may be `me`. */
export const leaveOrganization = async (hallpass: Client, id: string, userId = "me"): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`organizations/${segment(id)}/members/${segment(userId)}`)));

// --- Join links --------------------------------------------------------------------------------

export interface JoinLink {
  id: string;
  /** The role of who joins by it. */
  role: Role;
  /** How many people may join by it; `null` for any number. */
  uses: number | null;
  /** How many have. */
  used: number;
  createdBy: string;
  createdAt: string;
  expiresAt: string;
}

/** `token` and `url`, a page of Hallpass, are shown only once. The link expires in seven days unless told otherwise. */
export const createJoinLink = (
  hallpass: Client,
  id: string,
  link: { role: Role; expiresAt?: string; uses?: number },
): Promise<JoinLink & { token: string; url: string }> =>
  hallpass.request("POST", beside(`organizations/${segment(id)}/join-links`), link);

export const listJoinLinks = async (hallpass: Client, id: string): Promise<JoinLink[]> =>
  (await hallpass.request<{ joinLinks: JoinLink[] }>("GET", beside(`organizations/${segment(id)}/join-links`)))
    .joinLinks;

export const revokeJoinLink = async (hallpass: Client, id: string, linkId: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`organizations/${segment(id)}/join-links/${segment(linkId)}`)));

/** From now on it ends with the role of the signed-in admin. */
export const takeOverJoinLink = (hallpass: Client, id: string, linkId: string): Promise<JoinLink> =>
  hallpass.request("POST", beside(`organizations/${segment(id)}/join-links/${segment(linkId)}/take-over`));

// --- Invitations -------------------------------------------------------------------------------

export interface Invitation {
  id: string;
  email: string;
  role: Role;
  /** `null` for an automatic invitation, or if the inviter's account is deleted. */
  invitedBy: string | null;
  createdAt: string;
  expiresAt: string;
}

/** Sends an e-mail with a link for seven days. After another invitation only its link works. */
export const invite = (hallpass: Client, id: string, invited: { email: string; role?: Role }): Promise<Invitation> =>
  hallpass.request("POST", beside(`organizations/${segment(id)}/invitations`), invited);

/** The open ones, of every page, newest first. */
export const listInvitations = async (hallpass: Client, id: string): Promise<Invitation[]> => {
  const path = `organizations/${segment(id)}/invitations`;
  const all: Invitation[] = [];
  let cursor: string | undefined;
  do {
    const page: { invitations: Invitation[]; nextCursor?: string | null } = await hallpass.request(
      "GET",
      beside(path, { cursor }),
    );
    all.push(...page.invitations);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  return all;
};

export const revokeInvitation = async (hallpass: Client, id: string, invitationId: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`organizations/${segment(id)}/invitations/${segment(invitationId)}`)));

/** An invitation of the signed-in person. */
export interface OwnInvitation {
  id: string;
  organization: { id: string; name: string };
  role: Role;
  /** The name of who invites; `null` for an automatic invitation and for one by the operator. */
  inviter: string | null;
  createdAt: string;
  expiresAt: string;
}

/** Those of the signed-in person's verified address, newest first. */
export const listOwnInvitations = async (hallpass: Client): Promise<OwnInvitation[]> =>
  (await hallpass.request<{ invitations: OwnInvitation[] }>("GET", beside("invitations"))).invitations;

/** The token then acts for the organization. */
export const acceptOwnInvitation = async (hallpass: Client, id: string): Promise<User> =>
  (await hallpass.request<{ user: User }>("POST", beside(`invitations/${segment(id)}/accept`))).user;

export const declineInvitation = async (hallpass: Client, id: string): Promise<void> =>
  void (await hallpass.request("POST", beside(`invitations/${segment(id)}/decline`)));

/** With the token from the e-mail, for a signed-in person; others pass it to `register()`. */
export const acceptInvitation = async (hallpass: Client, token: string): Promise<User> =>
  (await hallpass.request<{ user: User }>("POST", beside("invitations/accept"), { token })).user;

// --- API tokens --------------------------------------------------------------------------------

export interface ApiToken {
  id: string;
  name: string;
  role: Role;
  /** The beginning of the token, to recognize it by. */
  prefix: string;
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
}

/** `token` is shown only once. */
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

// --- Webhooks ----------------------------------------------------------------------------------

export interface Webhook {
  id: string;
  organizationId: string;
  name: string | null;
  url: string;
  /** `null` for all, also those that are added later. */
  events: string[] | null;
  /** The admin with whose role it ends. */
  ownerId: string;
  createdAt: string;
  /** Since when every attempt has failed. */
  failingSince: string | null;
  enabled: boolean;
  switchedOff: { at: string; why: "by_an_admin" | "gone" | "failing" } | null;
}

export interface WebhookDelivery {
  /** The `webhook-id`. */
  id: string;
  event: string;
  at: string;
  state: "waiting" | "delivered" | "given_up";
  attempts: number;
  lastStatus: number | null;
  lastError: string | null;
  nextAttemptAt: string | null;
  endedAt: string | null;
}

/** `secret` is shown only once. */
export const createWebhook = (
  hallpass: Client,
  webhook: { url: string; events?: string[]; name?: string },
): Promise<Webhook & { secret: string }> => hallpass.request("POST", beside("webhooks"), webhook);

export const listWebhooks = (
  hallpass: Client,
  page: Page = {},
): Promise<{ webhooks: Webhook[]; nextCursor: string | null }> => hallpass.request("GET", beside("webhooks", page));

export const getWebhook = (hallpass: Client, id: string): Promise<Webhook> =>
  hallpass.request("GET", beside(`webhooks/${segment(id)}`));

export const updateWebhook = (
  hallpass: Client,
  id: string,
  changes: { url?: string; events?: string[] | null; name?: string | null; enabled?: boolean },
): Promise<Webhook> => hallpass.request("PATCH", beside(`webhooks/${segment(id)}`), changes);

export const deleteWebhook = async (hallpass: Client, id: string): Promise<void> =>
  void (await hallpass.request("DELETE", beside(`webhooks/${segment(id)}`)));

/** Sends `webhook.test` once. */
export const testWebhook = (hallpass: Client, id: string): Promise<{ id: string }> =>
  hallpass.request("POST", beside(`webhooks/${segment(id)}/test`));

/** For 24 hours the secret before signs as well. */
export const rotateWebhookSecret = (hallpass: Client, id: string): Promise<{ secret: string }> =>
  hallpass.request("POST", beside(`webhooks/${segment(id)}/rotate-secret`));

/** From now on it ends with the role of the signed-in admin. */
export const takeOverWebhook = (hallpass: Client, id: string): Promise<Webhook> =>
  hallpass.request("POST", beside(`webhooks/${segment(id)}/take-over`));

/** Newest first. */
export const listWebhookDeliveries = (
  hallpass: Client,
  id: string,
  page: Page = {},
): Promise<{ deliveries: WebhookDelivery[]; nextCursor: string | null }> =>
  hallpass.request("GET", beside(`webhooks/${segment(id)}/deliveries`, page));

// --- The audit log -----------------------------------------------------------------------------

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
