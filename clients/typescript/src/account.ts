/** What people do with their own account. Each function takes the client first. */

import type { HallpassError } from "./errors.js";
import type { Hallpass, MfaChallenge, Options, Pkce, Role, Session, SlackSignIn, User } from "./types.js";

type Client = Pick<Hallpass, "request">;
type SlackClient = Pick<Hallpass, "request" | "slackSignIn">;

const done = async (answer: Promise<unknown>): Promise<void> => void (await answer);

/** What is open to everyone: for pages that people see before they sign in. */
export const options = (hallpass: Client): Promise<Options> => hallpass.request("GET", "options");

/** API tokens end with the sessions that made them; with `endApiTokens` all of the person's end. */
export interface EndingApiTokens {
  endApiTokens?: boolean;
}

// --- The account --------------------------------------------------------------------------------

/** A linked account at another provider. */
export interface Identity {
  id: string;
  provider: "slack";
  /** The id of its workspace. */
  team: string;
}

/** What there is to know besides the `user`. */
export interface Account {
  user: User;
  /** The id that they had in the system they were imported from, if they were. */
  externalId?: string;
  emailVerified: boolean;
  hasPassword: boolean;
  /** Whether an authenticator is enrolled. */
  secondFactor: boolean;
  identities: Identity[];
  createdAt: string;
  organizations: { id: string; name: string; slug: string; role: Role; current: boolean }[];
}

export const account = (hallpass: Client): Promise<Account> => hallpass.request("GET", "account");

/**
 * The first password of people who have none. Every other session ends. Wants a recent proof; to sign in with the
 * password, the account needs an address.
 */
export const setPassword = (hallpass: Client, newPassword: string): Promise<void> =>
  done(hallpass.request("POST", "set-password", { newPassword }));

/** Unlinks an identity of the account. Another way to sign in must remain. Wants a recent proof. */
export const unlinkIdentity = (hallpass: Client, id: string): Promise<void> =>
  done(hallpass.request("DELETE", "identities/" + encodeURIComponent(id)));

/**
 * Deletes the account for good, with the organizations that have no other member. Wants a recent proof; where others
 * would be left without an admin, the error is `last_admin`.
 */
export const deleteAccount = (hallpass: Client): Promise<void> => done(hallpass.request("DELETE", "account"));

// --- Reauthentication --------------------------------------------------------------------------

/** The password, or with an authenticator its code; a recovery code does not count. */
export type Proof = { password: string } | { code: string };

/** Makes the session fresh for fifteen minutes: what is refused with `reauthentication_required` works until then. */
export const reauthenticate = (hallpass: Client, proof: Proof): Promise<{ success: true; until: string }> =>
  hallpass.request("POST", "reauthenticate", proof);

/** Does `act`; if Hallpass wants a recent proof, calls `ask` for one, for example in a dialog, and does `act` again. */
export const withProof = async <T>(
  hallpass: Client,
  act: () => Promise<T>,
  ask: () => Proof | Promise<Proof>,
): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    if ((error as HallpassError).code !== "reauthentication_required") throw error;
  }
  await reauthenticate(hallpass, await ask());
  return act();
};

/** Undoes a new API token or authenticator, with the token from the e-mail about it. */
export const undo = (hallpass: Client, token: string): Promise<void> =>
  done(hallpass.request("POST", "undo", { token }));

// --- Slack -------------------------------------------------------------------------------------

/** Where WebCrypto is missing (React Native), `pkce` must be a pair: these two work with a code challenge only. */
export interface SlackTrip extends Pick<SlackSignIn, "returnUrl" | "navigate"> {
  pkce?: Pkce;
}

/**
 * Leaves the page for Slack, whose account there is then linked to the signed-in person: what `account_exists` asks
 * people to do. `handleReturn()` completes it. Needs a recent proof: see `withProof()`.
 */
export const linkSlack = (hallpass: SlackClient, trip?: SlackTrip): Promise<void> =>
  hallpass.slackSignIn({ ...trip, ask: (asked) => hallpass.request("POST", "slack/link", asked) });

/** Leaves the page for Slack, to prove there who one is, e.g. without a password. `handleReturn()` completes it. */
export const reauthenticateWithSlack = (hallpass: SlackClient, trip?: SlackTrip): Promise<void> =>
  hallpass.slackSignIn({ ...trip, ask: (asked) => hallpass.request("POST", "slack/reauthenticate", asked) });

// --- The second factor -------------------------------------------------------------------------

/** An authenticator that is being set up. */
export interface TotpEnrolment {
  /** In base32, to type in. */
  secret: string;
  /** To open in an app: `otpauth://totp/…`. */
  otpauthUri: string;
  /** The same as a QR code, an SVG document. */
  qrCode: string;
}

/** The second step of a sign-in: `challenge` of `second_factor_required`, and a TOTP or recovery code. */
export const verifyMfa = async (
  hallpass: Client,
  { mfaToken }: Pick<MfaChallenge, "mfaToken">,
  code: string,
): Promise<User> => (await hallpass.request<{ user: User }>("POST", "mfa/verify", { mfaToken, code })).user;

/** Whether an authenticator is enrolled, and how many recovery codes are left. */
export const mfaStatus = (hallpass: Client): Promise<{ enabled: boolean; recoveryCodesLeft: number }> =>
  hallpass.request("GET", "mfa");

/**
 * Starts an enrolment; with a challenge for people who must enrol before they can sign in, with a code of the
 * authenticator, or a recovery code, to replace it.
 */
export const enrolTotp = (
  hallpass: Client,
  proof?: Pick<MfaChallenge, "mfaToken"> | { code: string },
): Promise<TotpEnrolment> =>
  hallpass.request("POST", "mfa/totp", proof && ("code" in proof ? { code: proof.code } : { mfaToken: proof.mfaToken }));

/**
 * Finishes an enrolment with a first code. Returns ten recovery codes, which are shown once. Every other session
 * ends; a person who came with a challenge is signed in.
 */
export const confirmTotp = async (
  hallpass: Client,
  code: string,
  challenge?: Pick<MfaChallenge, "mfaToken">,
): Promise<string[]> => {
  const proof = challenge ? { code, mfaToken: challenge.mfaToken } : { code };
  return (await hallpass.request<{ recoveryCodes: string[] }>("POST", "mfa/totp/confirm", proof)).recoveryCodes;
};

/** People without a password leave it out. */
export const removeTotp = (hallpass: Client, proof: { password?: string; code: string }): Promise<void> =>
  done(hallpass.request("DELETE", "mfa/totp", proof));

/** Returns ten new codes; the old ones become invalid. */
export const newRecoveryCodes = async (
  hallpass: Client,
  proof: { password?: string; code: string },
): Promise<string[]> =>
  (await hallpass.request<{ recoveryCodes: string[] }>("POST", "mfa/recovery-codes", proof)).recoveryCodes;

// --- E-mail address and password ---------------------------------------------------------------

/** With the token from the e-mail. */
export const verifyEmail = (hallpass: Client, token: string): Promise<void> =>
  done(hallpass.request("POST", "verify-email", { token }));

/** Does not reveal whether the address is known. */
export const resendVerification = (hallpass: Client, email: string): Promise<void> =>
  done(hallpass.request("POST", "resend-verification", { email }));

/** Does not reveal whether the address is known. */
export const forgotPassword = (hallpass: Client, email: string): Promise<void> =>
  done(hallpass.request("POST", "forgot-password", { email }));

/** With the token from the e-mail. Every session ends, and no new one begins. */
export const resetPassword = (
  hallpass: Client,
  token: string,
  password: string,
  options?: EndingApiTokens,
): Promise<void> => done(hallpass.request("POST", "reset-password", { token, password, ...options }));

/**
 * The new address takes effect once its owner follows the link that is sent to it. People without a password leave it
 * out.
 */
export const changeEmail = (hallpass: Client, change: { email: string; password?: string }): Promise<void> =>
  done(hallpass.request("POST", "change-email", change));

/** Every other session ends. People without a password leave `currentPassword` out, and set one. */
export const changePassword = (
  hallpass: Client,
  passwords: { currentPassword?: string; newPassword: string } & EndingApiTokens,
): Promise<void> => done(hallpass.request("POST", "change-password", passwords));

// --- Everything that is kept ---------------------------------------------------------------------

/** The lists of an export, each with its oldest entry first; the OpenAPI document describes their fields. */
export type ExportedList =
  | "memberships"
  | "sessions"
  | "apiTokens"
  | "identities"
  | "externalIds"
  | "knownAddresses"
  | "invitations"
  | "sentInvitations"
  | "emails"
  | "oneTimeTokens"
  | "actions"
  | "actionsByOthers";

export type AccountExport = {
  /** Of the format: 1. */
  version: number;
  exportedAt: string;
  account: { id: string; email: string | null; name: string; [field: string]: unknown };
} & Record<ExportedList, Record<string, unknown>[]>;

/** Everything that is kept about the person, to be saved as a file. Wants a recent proof: see `withProof()`. */
export const exportAccount = (hallpass: Client): Promise<AccountExport> => hallpass.request("GET", "account/export");

// --- Sessions ----------------------------------------------------------------------------------

/** The person's sessions, of every page, newest first. */
export const listSessions = async (hallpass: Client): Promise<Session[]> => {
  const all: Session[] = [];
  let query = "";
  do {
    const page: { sessions: Session[]; nextCursor?: string | null } = await hallpass.request("GET", "sessions" + query);
    all.push(...page.sessions);
    query = page.nextCursor ? "?cursor=" + page.nextCursor : "";
  } while (query);
  return all;
};

export const endSession = (hallpass: Client, id: string): Promise<void> =>
  done(hallpass.request("DELETE", "sessions/" + encodeURIComponent(id)));

/** Ends the session that an e-mail has reported, with the token from it. */
export const endReportedSession = (hallpass: Client, token: string): Promise<void> =>
  done(hallpass.request("POST", "end-session", { token }));
