/** Generated from `src/http/error_code.rs`; `UPDATE_GENERATED=1 cargo test` writes it anew. */

/** The values of `X-Error-Code`; docs/ERRORS.md says what each means and what to do about it. */
export type ErrorCode =
  | "validation_failed"
  | "malformed_request"
  | "authentication_required"
  | "invalid_credentials"
  | "invalid_token"
  | "token_expired"
  | "token_revoked"
  | "forbidden"
  | "invitation_required"
  | "not_found"
  | "organization_not_found"
  | "session_not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "email_taken"
  | "body_too_large"
  | "unsupported_media_type"
  | "internal_error"
  | "busy"
  | "unavailable";
