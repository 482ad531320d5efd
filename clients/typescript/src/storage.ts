/** Where tokens are stored between two visits. */

/**
 * The interface of `localStorage`, synchronous or not: React Native's AsyncStorage fits as it is, and its
 * encrypted stores with their functions renamed.
 */
export interface TokenStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
  /** Whether every tab of the origin sees the same entries, and so shares the sign-in. */
  shared?: boolean;
}

/** Lives as long as this object. */
export function memoryStorage(): TokenStorage {
  const entries: Record<string, string> = {};
  return {
    getItem: (key) => entries[key] ?? null,
    setItem: (key, value) => (entries[key] = value),
    removeItem: (key) => delete entries[key],
  };
}

/** The browser's `localStorage`; memory where there is none, on servers or with storage blocked. */
export function webStorage(): TokenStorage {
  try {
    // A server may have a localStorage too, but one that all its visitors would share.
    const { localStorage } = document.defaultView!;
    return {
      getItem: (key) => localStorage.getItem(key),
      setItem: (key, value) => localStorage.setItem(key, value),
      removeItem: (key) => localStorage.removeItem(key),
      // Some web views have `null` there.
      shared: localStorage.length >= 0,
    };
  } catch {
    return memoryStorage();
  }
}
