/** The page `hallpass dev` serves at `/demo`: the client at work, with every request and answer shown. */

import {
  confirmTotp,
  enrolTotp,
  listSessions,
  mfaStatus,
  options,
  reauthenticate,
  removeTotp,
  verifyMfa,
} from "../src/account.js";
import { createHallpass, HallpassError, type Founding, type MfaChallenge, type User } from "../src/index.js";

const element = <T extends HTMLElement = HTMLElement>(id: string): T => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
};

const hallpass = createHallpass({ baseUrl: ".", fetch: inView });

// --- Requests and answers ----------------------------------------------------------------------

/** Hides passwords and codes and shortens tokens, because people share screens. */
const shortened = (text: string): string =>
  text
    .replace(/("(?:password|currentPassword|newPassword|mfaToken|secret|otpauthUri|qrCode)":\s*)"(?:[^"\\]|\\.)*"/g, '$1"••••••••"')
    .replace(/("recoveryCodes":\s*)\[[^\]]*\]/g, '$1["••••••••"]')
    .replace(/([\w-]{12})[\w-]{8,}\.[\w-]{20,}\.[\w-]{20,}/g, "$1…");

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

/** `fetch` that shows requests and answers on the page. */
async function inView(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const sent = await request.clone().text();
  const began = performance.now();
  const response = await fetch(request);
  const took = Math.round(performance.now() - began);
  const answered = await response.clone().text();

  const entry = document.createElement("li");
  const title = document.createElement("p");
  title.className = response.ok ? "good" : "bad";
  title.textContent = `${request.method} ${new URL(request.url).pathname} → ${response.status} in ${took} ms`;
  const text = document.createElement("pre");
  const challenge = response.headers.get("WWW-Authenticate");
  const code = response.headers.get("X-Error-Code");
  const retryAfter = response.headers.get("Retry-After");
  text.textContent = [
    sent && shortened(pretty(sent)),
    code && `X-Error-Code: ${code}`,
    challenge && `WWW-Authenticate: ${challenge}`,
    retryAfter && `Retry-After: ${retryAfter}`,
    shortened(pretty(answered)),
  ]
    .filter(Boolean)
    .join("\n\n");
  entry.append(title, text);
  const log = element("wire");
  log.prepend(entry);
  while (log.children.length > 12) log.lastElementChild?.remove();
  return response;
}

// --- Results -----------------------------------------------------------------------------------

const say = (message: string, kind: "good" | "bad") => {
  const status = element("status");
  status.textContent = message;
  status.className = kind;
};

/** A sign-in that lacks its second factor. */
let challenge: MfaChallenge | undefined;

/** Runs the action of a button or form; an error is always shown as a sentence. */
const attempt = async (act: () => Promise<string>) => {
  try {
    say(await act(), "good");
  } catch (error) {
    const isOurs = error instanceof HallpassError;
    if (isOurs && error.code === "second_factor_required") {
      challenge = error.challenge;
      element("second-factor").hidden = false;
      return say("One more step: enter the code of your authenticator.", "good");
    }
    const fields = isOurs ? error.details.map((fault) => `${fault.field}: ${fault.message}`) : [];
    say([String((error as Error).message), ...fields].join(" "), "bad");
  }
};

const onClick = (id: string, act: () => Promise<string>) =>
  element(id).addEventListener("click", () => void attempt(act));

const onSubmit = (id: string, act: (fields: Record<string, string>) => Promise<string>) =>
  element<HTMLFormElement>(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    void attempt(() => act(Object.fromEntries(new FormData(form)) as Record<string, string>));
  });

// --- The signed-in person ----------------------------------------------------------------------

const decoded = (part: string): Record<string, unknown> =>
  JSON.parse(atob(part.replace(/-/g, "+").replace(/_/g, "/"))) as Record<string, unknown>;

let expires = 0;

const show = async (user: User | null) => {
  element("stranger").hidden = user !== null;
  element("person").hidden = user === null;
  if (!user) return;
  element("second-factor").hidden = true;
  element("name").textContent = user.name;
  element("about").textContent = `${user.role ?? "no organization"} · ${user.email ?? "no e-mail address"}`;
  const [header = "", claims = ""] = ((await hallpass.token()) ?? "").split(".");
  if (!claims) return;
  expires = Number(decoded(claims)["exp"]);
  element("header").textContent = JSON.stringify(decoded(header), null, 2);
  element("claims").textContent = JSON.stringify(decoded(claims), null, 2);
};

setInterval(() => {
  const seconds = Math.max(0, Math.round(expires - Date.now() / 1000));
  const part = (size: number, wrap: number) => String(Math.floor(seconds / size) % wrap).padStart(2, "0");
  element("countdown").textContent =
    `${Math.floor(seconds / 86400)} d ${part(3600, 24)}:${part(60, 60)}:${part(1, 60)}`;
}, 1000);

hallpass.onChange((user) => void show(user));

// --- Actions -----------------------------------------------------------------------------------

onClick("slack", async () => {
  await hallpass.slackSignIn();
  return "Opening Slack …";
});
onSubmit("login", async ({ email = "", password = "" }) => {
  const user = await hallpass.login({ email, password });
  return `Welcome, ${user.name}.`;
});
onSubmit("second-factor", async ({ code = "" }) => {
  if (!challenge) return "Sign in first.";
  const user = await verifyMfa(hallpass, challenge, code);
  return `Welcome, ${user.name}.`;
});
onSubmit("register", async (fields) => {
  const founded = await hallpass.register(fields as unknown as Founding);
  return founded.message;
});
onClick("me", async () => `You are ${(await hallpass.me()).name}.`);
onClick("refresh", async () => {
  const user = await hallpass.refresh();
  await show(user);
  return "Here is a new token. The old one stays valid until it expires.";
});
onClick("sessions", async () => {
  const sessions = await listSessions(hallpass);
  return `You are signed in on ${sessions.length} device${sessions.length === 1 ? "" : "s"}.`;
});
onClick("logout", async () => {
  await hallpass.logout();
  return "Signed out. The token is revoked.";
});
onClick("logout-all", async () => {
  await hallpass.logoutAll();
  return "Signed out everywhere.";
});

// --- The second factor -------------------------------------------------------------------------

const showMfa = async () => {
  const { enabled, recoveryCodesLeft } = await mfaStatus(hallpass);
  element("mfa-status").textContent = enabled
    ? `On, with ${recoveryCodesLeft} recovery codes left.`
    : "Off: your password alone signs you in.";
  element("enrol").hidden = enabled;
  element("remove").hidden = !enabled;
};
element("authenticator").addEventListener("toggle", () => void showMfa().catch(() => {}));

onClick("enrol", async () => {
  const { secret, qrCode } = await enrolTotp(hallpass).catch((error) => {
    element("reauthenticate").hidden = error.code !== "reauthentication_required";
    throw error;
  });
  element<HTMLImageElement>("qr-code").src = `data:image/svg+xml,${encodeURIComponent(qrCode)}`;
  element("secret").textContent = secret;
  for (const id of ["enrolment", "confirm"]) element(id).hidden = false;
  return "Scan it with an authenticator, then enter the code it shows.";
});
onSubmit("reauthenticate", async ({ password = "" }) => {
  await reauthenticate(hallpass, { password });
  element("reauthenticate").hidden = true;
  return "Confirmed for fifteen minutes. Set up the authenticator now.";
});
onSubmit("confirm", async ({ code = "" }) => {
  const codes = await confirmTotp(hallpass, code);
  element("recovery-codes").textContent = codes.join("\n");
  element("recovery-codes").hidden = false;
  for (const id of ["enrolment", "confirm"]) element(id).hidden = true;
  await showMfa();
  return "From now on you need both. Store the recovery codes: they are shown only once.";
});
onSubmit("remove", async ({ password = "", code = "" }) => {
  await removeTotp(hallpass, { password, code });
  element("recovery-codes").hidden = true;
  await showMfa();
  return "Your password alone signs you in again.";
});

/** Errors to look at. They bypass the client, which would not send such requests. */
const provoke = (path: string, init?: RequestInit) => async () => {
  const response = await inView(path, init);
  return `That is what ${response.status} looks like.`;
};
const post = (body: object): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
onClick("provoke-400", provoke("api/auth/login", post({ email: "nobody", role: "admin" })));
onClick("provoke-401", provoke("api/auth/me", { headers: { Authorization: "Bearer not.a.token" } }));
onClick("provoke-403", async () => {
  const emmy = { email: "emmy@example.com", password: "correct horse battery staple" };
  const { accessToken } = await (await inView("api/auth/login", post(emmy))).json();
  const response = await inView("api/audit", { headers: { Authorization: `Bearer ${accessToken}` } });
  return `Emmy is not an admin, so she may not read the audit log: ${response.status}.`;
});
onClick("provoke-404", provoke("api/auth/nothing-here"));
onClick("provoke-405", provoke("api/auth/login"));
onClick("provoke-429", async () => {
  for (let attempts = 1; attempts <= 11; attempts++) {
    const response = await inView("api/auth/login", post({ email: "mallory@example.com", password: "guessed" }));
    if (response.status === 429) return `After ${attempts} wrong passwords, further attempts are refused: 429.`;
  }
  return "Limits are off here.";
});

/** Creating an organization also creates an account. */
const offer = async () => {
  const { registration, organizations, providers } = await options(hallpass);
  element("found").hidden = registration !== "open" || organizations !== "open";
  element("slack").hidden = !providers.some(({ id }) => id === "slack");
};

// --- On page load ------------------------------------------------------------------------------

await attempt(async () => {
  await show(await hallpass.user());
  await offer();
  const returned = await hallpass.handleReturn();
  if (returned) return `Slack says you are ${returned.name}.`;
  const user = await hallpass.user();
  return user ? `Signed in as ${user.name}.` : "You are not signed in.";
});
