/** A minimal front end with the NextAuth client. */

import { createRoot } from "react-dom/client";
import * as client from "next-auth/react";

const Person = () => {
  const { data, status, update } = client.useSession();
  window.updateSession = update;
  return <p id="person">{status === "authenticated" ? `${data.user.name} (${data.user.role})` : status}</p>;
};

window.nextAuth = client;
createRoot(document.getElementById("root")).render(
  <client.SessionProvider>
    <Person />
  </client.SessionProvider>,
);
