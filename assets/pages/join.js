// Shows an invitation, and accepts it. Texts are set as text, never as HTML.
const token = new URLSearchParams(location.search).get("token") ?? "";
// Not in the address bar, the history, or whatever is shared of them.
history.replaceState(null, "", location.pathname);

const part = (id) => document.getElementById(id);
const form = part("form");
const say = (text) => { part("message").textContent = text; };
// What fields of the API are called on this page.
const LABELS = { username: "the user name", name: "your name", password: "the password", token: "the link" };

class Refused extends Error {
  constructor({ message, extensions }) {
    super(message.replace(/\binput\.(\w+)/g, (whole, name) => LABELS[name] ?? whole));
    this.code = extensions?.code;
    this.field = extensions?.field?.replace(/^input\./, "");
  }
}

async function ask(query, variables) {
  let response;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query, variables }),
    });
  } catch {
    throw new Error("The server cannot be reached. Try again in a moment.");
  }
  const answer = await response.json().catch(() => ({ errors: [{ message: `The server answered with the status ${response.status}. Try again in a moment.` }] }));
  if (answer.errors?.length) throw new Refused(answer.errors[0]);
  return answer.data;
}

// Says what is wrong, at the field that it is about.
function complain(error) {
  const problem = part("problem");
  problem.textContent = error?.message ?? "";
  problem.hidden = !error;
  for (const input of form.elements) input.removeAttribute("aria-invalid");
  const field = error?.field && form.elements[error.field];
  if (field) {
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}

const list = (names) => names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

function describe({ inviter, email, username, teams }) {
  const named = teams.map((team) => `${team.name}${team.role === "ADMIN" ? " (as its admin)" : ""}`);
  const into = named.length === 0 ? "" : ` into the ${named.length === 1 ? "team" : "teams"} ${list(named)}`;
  return `${inviter} invites ${username ?? email}${into}.`;
}

let invitation;

async function begin() {
  if (token === "") throw new Error("Open the link of your invitation again: it is in the mail, and not kept here.");
  const found = await ask(
    `query($token: String!) {
      invitation(token: $token) { inviter email username teams { name role } }
      serverInfo { passwordPolicy { minLength } }
      viewer { user { username } }
    }`, { token });
  invitation = found.invitation;
  say(describe(invitation));
  const self = found.viewer?.user.username ?? null;
  const least = found.serverInfo.passwordPolicy.minLength;
  part("rule").textContent = `At least ${least} characters, and hard to guess.`;
  form.elements.password.minLength = least;
  const { username } = form.elements;
  username.value = invitation.username ?? (invitation.email.length <= 64 ? invitation.email : "");
  username.readOnly = invitation.username !== null;
  const stranger = self !== null && self !== invitation.username;
  form.hidden = stranger;
  part("signed-in").hidden = !stranger;
  part("self").textContent = self;
  part("join").hidden = invitation.username !== null || invitation.teams.length === 0;
  part("join").textContent = `Join as ${self}`;
}

const ACCEPT = `mutation($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) { user { username } secret joined { name } }
}`;

// With a cookie, so that no script ever sees the secret; without one where this page's address is not the server's own.
async function accept(input) {
  try {
    return await ask(ACCEPT, { input: window.isSecureContext ? { ...input, cookie: true } : input });
  } catch (error) {
    if (error.code !== "FORBIDDEN" || !window.isSecureContext) throw error;
    return ask(ACCEPT, { input });
  }
}

async function comeIn() {
  const { username, name, password } = form.elements;
  const input = { token, password: password.value };
  if (name.value) input.name = name.value;
  if (!username.readOnly && username.value) input.username = username.value;
  const { acceptInvitation: done } = await accept(input);
  password.value = "";
  form.hidden = true;
  say(`You are signed in as ${done.user.username}.`);
  part("secret").textContent = done.secret;
  part("done").hidden = done.secret === null;
  // GraphiQL may be switched off.
  const graphiql = done.secret === null && (await fetch("/", { method: "HEAD" })).ok;
  part("next").hidden = !graphiql;
  const { serverInfo } = await ask("{ serverInfo { features } }", {});
  part("add").hidden = done.secret !== null || !serverInfo.features.includes("passkeys");
}

async function join() {
  const { acceptInvitation: done } = await ask(ACCEPT, { input: { token } });
  part("signed-in").hidden = true;
  const names = done.joined.map((team) => team.name);
  say(names.length === 0 ? "You belonged there already." : `You have joined ${list(names)}.`);
}

async function signOut() {
  await ask("mutation { signOut(input: {}) { revoked } }", {});
  await begin();
}

// One thing at a time: a second click does nothing.
function runs(work) {
  return async (event) => {
    event.preventDefault();
    const buttons = document.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    complain(null);
    try {
      await work();
    } catch (error) {
      complain(error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };
}

form.addEventListener("submit", runs(comeIn));
part("join").addEventListener("click", runs(join));
part("sign-out").addEventListener("click", runs(signOut));
form.elements.reveal.addEventListener("change", ({ target }) => {
  form.elements.password.type = target.checked ? "text" : "password";
});

begin().catch((error) => say(error.message));
