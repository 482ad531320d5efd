/** The client of Hallpass, an identity service. */

export { createHallpass } from "./client.js";
export type { ErrorCode } from "./error_codes.js";
export { HallpassError } from "./errors.js";
export type { ClientErrorCode, FieldFault, SlackErrorCode } from "./errors.js";
export { memoryStorage, webStorage } from "./storage.js";
export type { TokenStorage } from "./storage.js";
export type * from "./types.js";
