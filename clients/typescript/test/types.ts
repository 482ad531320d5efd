/** What must compile, and what must not; nothing here runs. */

import { HallpassError, createHallpass, memoryStorage } from "../src/index.js";
import type { Founded, TokenStorage, User } from "../src/index.js";

const hallpass = createHallpass({ baseUrl: "https://id.example", storage: memoryStorage() });

export async function registers(): Promise<[User, User, Founded]> {
  const person = { email: "ada@acme.example", password: "x", name: "Ada" };
  return [
    await hallpass.register({ ...person, organizationId: "o" }),
    await hallpass.register({ ...person, invitationToken: "t" }),
    await hallpass.register({ email: "", password: "", organizationName: "", firstName: "", lastName: "" }),
  ];
}

export function decides(error: unknown): string {
  if (!(error instanceof HallpassError)) return "";
  switch (error.code) {
    case "invalid_credentials":
    case "network_error":
    case "state_mismatch":
    case "account_exists":
      return error.details.map(({ field }) => field).join();
    // @ts-expect-error: no such code
    case "no_such_code":
      return "";
    default:
      return error.message;
  }
}

declare const AsyncStorage: {
  getItem(key: string, callback?: (error?: Error | null, result?: string | null) => void): Promise<string | null>;
  setItem(key: string, value: string, callback?: (error?: Error | null) => void): Promise<void>;
  removeItem(key: string, callback?: (error?: Error | null) => void): Promise<void>;
};
export const storages: TokenStorage[] = [AsyncStorage, localStorage];

// @ts-expect-error: a join names its organization or an invitation
void hallpass.register({ email: "", password: "", name: "" });
void hallpass.register({ email: "", password: "", organizationName: "", name: "" });
// @ts-expect-error: a founder has a name
void hallpass.register({ email: "", password: "", organizationName: "" });
// @ts-expect-error: nothing is assigned
void hallpass.updateMe({ role: "admin" });
