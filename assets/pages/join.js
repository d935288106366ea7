// Shows an invitation, and accepts it. Texts are set as text, never as HTML.
const token = new URLSearchParams(location.search).get("token") ?? "";
// Not in the address bar, the history, or whatever is shared of them.
history.replaceState(null, "", location.pathname);

const part = (id) => document.getElementById(id);
const say = (text) => { part("message").textContent = text; };

async function ask(query, variables) {
  const response = await fetch("/graphql", {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  if (answer.errors?.length) throw new Error(answer.errors[0].message);
  return answer.data;
}

const list = (names) => names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

function describe(offer) {
  const teams = offer.teams.map((team) => `${team.name}${team.role === "ADMIN" ? " (as its admin)" : ""}`);
  const into = teams.length === 0 ? "" : ` into the ${teams.length === 1 ? "team" : "teams"} ${list(teams)}`;
  const whom = offer.username === null ? offer.email : offer.username;
  return `${offer.inviter} invites ${whom}${into}. Choose a password of at least ${offer.least} characters.`;
}

async function begin() {
  const { invitation, serverInfo } = await ask(
    `query($token: String!) {
      invitation(token: $token) { inviter email username teams { name role } }
      serverInfo { passwordPolicy { minLength } }
    }`, { token });
  const form = part("form");
  say(describe({ ...invitation, least: serverInfo.passwordPolicy.minLength }));
  form.elements.password.minLength = serverInfo.passwordPolicy.minLength;
  if (invitation.username === null) {
    form.elements.username.value = invitation.email.length <= 64 ? invitation.email : "";
    part("signed-in").hidden = invitation.teams.length === 0;
  } else {
    part("for-username").hidden = true;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    accept(form, invitation).catch((error) => say(error.message));
  });
}

async function accept(form, invitation) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const input = { token, password: form.elements.password.value };
    if (form.elements.name.value) input.name = form.elements.name.value;
    if (invitation.username === null && form.elements.username.value) input.username = form.elements.username.value;
    const cookie = location.protocol === "https:";
    if (cookie) input.cookie = true;
    const { acceptInvitation: done } = await ask(
      `mutation($input: AcceptInvitationInput!) {
        acceptInvitation(input: $input) { user { username } secret }
      }`, { input });
    form.hidden = true;
    part("signed-in").hidden = true;
    say(`You are signed in as ${done.user.username}.`);
    if (done.secret !== null) {
      part("secret").textContent = done.secret;
      part("done").hidden = false;
    }
  } finally {
    button.disabled = false;
  }
}

begin().catch((error) => say(error.message));
