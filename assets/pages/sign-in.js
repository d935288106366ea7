// Signs in with a passkey, or by a link that is sent by mail; and whoever is signed in adds passkeys. Texts are set as text, never as HTML.
const token = new URLSearchParams(location.search).get("token");
// Not in the address bar, the history, or whatever is shared of them.
history.replaceState(null, "", location.pathname);

const part = (id) => document.getElementById(id);
const say = (text) => { part("message").textContent = text; };
const show = (id, shown = true) => { part(id).hidden = !shown; };
// Of the session, where no cookie keeps it.
let secret = null;
const browserHasPasskeys = typeof globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON === "function";

async function ask(query, variables = {}) {
  let response;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json", accept: "application/json", ...(secret && { authorization: `Bearer ${secret}` }) },
      body: JSON.stringify({ query, variables }),
    });
  } catch {
    throw new Error("The server cannot be reached. Try again in a moment.");
  }
  const answer = await response.json().catch(() => ({ errors: [{ message: `The server answered with the status ${response.status}. Try again in a moment.` }] }));
  const [error] = answer.errors ?? [];
  if (error) throw Object.assign(new Error(error.message), { code: error.extensions?.code, field: error.extensions?.field });
  return answer.data;
}

// With a cookie, so that no script ever sees the secret; without one where this page's address is not the server's own.
async function withCookie(mutation, input) {
  if (!window.isSecureContext) return ask(mutation, { input });
  try {
    return await ask(mutation, { input: { ...input, cookie: true } });
  } catch (error) {
    if (error.code !== "FORBIDDEN") throw error;
    return ask(mutation, { input });
  }
}

// What the browser says when nobody was there, or nothing fits, tells people little.
async function ceremony(work, otherwise) {
  try {
    return (await work()).toJSON();
  } catch (error) {
    throw new Error(error.name === "InvalidStateError" ? "This device has a passkey of yours already." : otherwise, { cause: error });
  }
}

async function signed() {
  const { passkeyChallenge: { challenge, options } } = await ask("{ passkeyChallenge { challenge options } }");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await ceremony(() => navigator.credentials.get({ publicKey }), "No passkey was used.");
  return { challenge, credential };
}

async function byPasskey() {
  const { signInWithPasskey: done } = await withCookie(
    `mutation($input: SignInWithPasskeyInput!) { signInWithPasskey(input: $input) { user { username } secret } }`, await signed());
  await signedIn(done);
}

async function send() {
  const input = { email: part("ask").elements.email.value };
  const { requestMagicLink: sent } = await ask(
    `mutation($input: RequestMagicLinkInput!) { requestMagicLink(input: $input) { lifetimeSeconds } }`, { input });
  show("ask", false);
  say(`If ${input.email} may sign in here, a link is on its way. It works once, for ${sent.lifetimeSeconds / 60} minutes.`);
}

async function byLink(passkey) {
  const otp = part("enter").elements.otp.value;
  const { signInWithMagicLink: done } = await withCookie(
    `mutation($input: SignInWithMagicLinkInput!) { signInWithMagicLink(input: $input) { user { username } secret } }`,
    { token, ...(passkey ? { passkey } : otp && { otp }) });
  await signedIn(done);
}

async function signedIn({ user, secret: shown }) {
  secret = shown;
  for (const id of ["by-passkey", "ask", "enter"]) show(id, false);
  say(`You are signed in as ${user.username}.`);
  part("secret").textContent = shown;
  show("done", shown !== null);
  show("signed-in");
  show("add", (await features()).includes("passkeys"));
  // GraphiQL may be switched off, and knows no secret but the cookie's.
  show("graphiql", shown === null && (await fetch("/", { method: "HEAD" })).ok);
}

async function add() {
  const { name, password, otp } = part("add").elements;
  const proof = { ...(password.value && { password: password.value }), ...(otp.value && { otp: otp.value }) };
  if (!part("for-proof").hidden && !otp.value) proof.passkey = await signed();
  const { enrolPasskey: { challenge, options } } = await ask(
    `mutation($input: EnrolPasskeyInput!) { enrolPasskey(input: $input) { challenge options } }`, { input: proof });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await ceremony(() => navigator.credentials.create({ publicKey }), "No passkey was made.");
  const { confirmPasskey: done } = await ask(
    `mutation($input: ConfirmPasskeyInput!) { confirmPasskey(input: $input) { secondFactor { name } recoveryCodes } }`,
    { input: { challenge, credential, ...(name.value && { name: name.value }) } });
  part("add").reset();
  say(`You can sign in with the passkey “${done.secondFactor.name}” from now on.`);
  if (done.recoveryCodes !== null) {
    part("codes").textContent = done.recoveryCodes.join("\n");
    show("recovery");
  }
}

async function signOut() {
  await ask("mutation { signOut(input: {}) { revoked } }");
  location.reload();
}

const features = async () => browserHasPasskeys ? (await ask("{ serverInfo { features } }")).serverInfo.features : [];

// One thing at a time: a second click does nothing.
function runs(work) {
  return async (event) => {
    event.preventDefault();
    const buttons = document.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    show("problem", false);
    try {
      await work();
    } catch (error) {
      complain(error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };
}

// What is missing is asked for.
function complain({ message, code, field }) {
  const entering = !part("enter").hidden;
  if (code === "SECOND_FACTOR_REQUIRED") {
    show(entering ? "for-code" : "for-proof");
    show("instead", browserHasPasskeys);
    message = entering ? "This user has a second factor." : "This changes how you sign in: show that it is you.";
  } else if (field === "input.password") {
    show("for-password");
  }
  part("problem").textContent = message;
  show("problem");
}

part("passkey").addEventListener("click", runs(byPasskey));
part("ask").addEventListener("submit", runs(send));
// A link is used by a click alone: whoever reads mails opens pages too.
part("enter").addEventListener("submit", runs(() => byLink()));
part("instead").addEventListener("click", runs(async () => byLink(await signed())));
part("add").addEventListener("submit", runs(add));
part("sign-out").addEventListener("click", runs(signOut));

async function begin() {
  if (token !== null) {
    say("This link signs you in, once.");
    show("enter");
    return;
  }
  const { viewer, serverInfo } = await ask("{ viewer { user { username } } serverInfo { features } }");
  if (viewer !== null) {
    await signedIn({ user: viewer.user, secret: null });
    return;
  }
  const has = (name) => serverInfo.features.includes(name);
  const passkeys = has("passkeys") && browserHasPasskeys;
  show("by-passkey", passkeys);
  show("ask", has("magic-links"));
  say(has("magic-links") ? "You are sent a link that signs you in." : passkeys ? "Who are you?" : "Nobody signs in on this page. Follow the link of an invitation, or ask your administrators.");
}

begin().catch((error) => say(error.message));
