// Asks for a link, or signs in by the one whose token is in the address. Texts are set as text, never as HTML.
const token = new URLSearchParams(location.search).get("token");
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
  if (answer.errors?.length) throw Object.assign(new Error(answer.errors[0].message), { code: answer.errors[0].extensions?.code });
  return answer.data;
}

// Shows a form, and does that once it is sent. A link is used by a click alone: whoever reads mails opens pages too.
function offer(form, work) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await work(form);
    } catch (error) {
      if (error.code === "SECOND_FACTOR_REQUIRED") part("for-code").hidden = false;
      say(error.message);
    } finally {
      button.disabled = false;
    }
  });
}

async function send(form) {
  const input = { email: form.elements.email.value };
  const { requestMagicLink: sent } = await ask(
    `mutation($input: RequestMagicLinkInput!) { requestMagicLink(input: $input) { lifetimeSeconds } }`, { input });
  form.hidden = true;
  say(`If ${input.email} may sign in here, a link is on its way. It works once, for ${sent.lifetimeSeconds / 60} minutes.`);
}

async function enter(form) {
  const input = { token, cookie: location.protocol === "https:" };
  if (form.elements.otp.value) input.otp = form.elements.otp.value;
  const { signInWithMagicLink: done } = await ask(
    `mutation($input: SignInWithMagicLinkInput!) { signInWithMagicLink(input: $input) { user { username } secret } }`, { input });
  form.hidden = true;
  say(`You are signed in as ${done.user.username}.`);
  if (done.secret !== null) {
    part("secret").textContent = done.secret;
    part("done").hidden = false;
  }
}

if (token === null) {
  say("You are sent a link that signs you in.");
  offer(part("ask"), send);
} else {
  say("This link signs you in, once.");
  offer(part("enter"), enter);
}
