/** Everything that can go wrong, as one typed error. */

import type { ErrorCode } from "./error_codes.js";
import type { MfaChallenge } from "./types.js";

/** How a sign-in with Slack can fail. */
export type SlackErrorCode =
  | "access_denied"
  | "account_exists"
  | "not_allowed"
  | "sign_in_expired"
  | "slack_misconfigured"
  | "slack_unavailable";

/**
 * Codes of the client itself:
 * `network_error`: no answer within ten seconds; try again later, the token is kept.
 * `unexpected_answer`: the answer is not from Hallpass, but e.g. from a captive portal or a broken proxy.
 * `redirect_refused`: the answer was a redirect, which a token does not follow.
 * `state_mismatch`: the return from Slack belongs to no sign-in started here; start again.
 */
export type ClientErrorCode =
  | "network_error"
  | "unexpected_answer"
  | "redirect_refused"
  | "state_mismatch";

/** One rule that a field of the request breaks. */
export interface FieldFault {
  field: string;
  code: string;
  message: string;
}

export class HallpassError extends Error {
  /** Of `second_factor_required`: ask for a code, then call `verifyMfa()` of `hallpass-client/account`. */
  declare readonly challenge?: MfaChallenge;

  constructor(
    /** The HTTP status; 0 without an answer. */
    readonly status: number,
    /** Decide by this one. */
    readonly code: ErrorCode | SlackErrorCode | ClientErrorCode,
    /** For people. */
    message: string = code.replace(/_/g, " "),
    /** Of `validation_failed`; empty for all others. */
    readonly details: FieldFault[] = [],
    /** Seconds after which to try again. */
    readonly retryAfter?: number,
    /** Identifies the request in the server's log. */
    readonly requestId?: string,
  ) {
    super(message);
    this.name = "HallpassError";
  }
}
