import { useEffect, useState } from "react";
import type { Hallpass, User } from "hallpass-client";

/** Who is signed in, in every tab: `undefined` until that is known, `null` for no one. */
export function useHallpass(hallpass: Hallpass): User | null | undefined {
  const [user, setUser] = useState<User | null>();
  useEffect(() => {
    let isMounted = true;
    const show = (user: User | null) => {
      if (isMounted) setUser(user);
    };
    const stop = hallpass.onChange(show);
    void hallpass.user().then(show);
    return () => {
      isMounted = false;
      stop();
    };
  }, [hallpass]);
  return user;
}
