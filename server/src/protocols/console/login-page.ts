import { shownNote, type Note } from "./form.ts";
import { escape, type Page } from "./page.ts";

/** Whom people log in with besides their password: the name of the provider's host, and where that begins. */
type SingleSignOn = { label: string; path: string };

export function loginPage(shown: {
  token: string;
  name: string;
  note: Note | undefined;
  singleSignOn: SingleSignOn | undefined;
}): Page {
  const { token, name, note, singleSignOn } = shown;
  // The form goes to the address it came from: browsers keep what follows its `#`, which MLflow's UI goes by.
  const password = `<form method="post">${token}
<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="255" required value="${escape(name)}"${name === "" ? " autofocus" : ""}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${name === "" ? "" : " autofocus"}>
<button class="wide">Log in</button></form>`;
  const other =
    singleSignOn === undefined
      ? ""
      : `<p class="or">or</p><a class="button plain wide" href="${escape(singleSignOn.path)}">Log in with ${escape(singleSignOn.label)}</a>`;
  return {
    title: "Log in – Plinth",
    heading: "Log in to Plinth",
    narrow: true,
    body: `<section>${shownNote(note)}${password}${other}</section>`,
  };
}

/** Of a form that goes to whoever the browser belongs to: who is logged in, and the way out. */
export const whoIsHere = (name: string, token: string): string =>
  `<nav aria-label="Account"><span>${escape(name)}</span><a href="/plinth/account">Account</a>
<form method="post" action="/plinth/logout">${token}<button class="link">Log out</button></form></nav>`;

export function activationPage(shown: {
  token: string;
  user: string;
  activation: string;
  note: Note | undefined;
}): Page {
  const { token, user, activation, note } = shown;
  return {
    title: "Choose a password – Plinth",
    heading: "Choose a password",
    narrow: true,
    body: `<section>${shownNote(note)}<form method="post" action="/plinth/activate">${token}
<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="255" required value="${escape(user)}">
<label for="token">Activation token <small>as you were given it</small></label>
<input id="token" name="token" type="text" autocomplete="off" spellcheck="false" required value="${escape(activation)}">
<label for="password">New password <small>at least 12 characters</small></label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12" required>
<label for="repeated">New password again</label>
<input id="repeated" name="repeated" type="password" autocomplete="new-password" minlength="12" required>
<button class="wide">Set the password</button></form></section>`,
  };
}

export function devicePage(shown: {
  token: string;
  beside: string;
  device: string;
  code: string;
  /** What the client says about itself; undefined where there is no such device, or the address names none. */
  about: readonly string[];
  note: Note | undefined;
}): Page {
  const { token, device, code, about, note } = shown;
  const from =
    about.length === 0
      ? ""
      : `<p>It says about itself: ${about.map((text) => `<b>${escape(text)}</b>`).join(", ")}.</p>`;
  return {
    title: "Let a device in – Plinth",
    heading: "Let a device in",
    under: "A command line asks to work in your name.",
    narrow: true,
    body: `<section>${shownNote(note)}${from}
<p class="hint">Compare the code with the one on that screen. Whoever sent you here with a code that you did not see
yourself wants to work with your rights: then close this page.</p>
<form method="post" action="/devices/verify">${token}<input type="hidden" name="device_id" value="${escape(device)}">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" type="text" autocomplete="off" autocapitalize="none" spellcheck="false" required
 value="${escape(code)}">
<label class="tick"><input type="checkbox" name="trusted" value="yes"> Trust it: it stays logged in for longer</label>
<button class="wide">Let it in</button></form></section>`,
  };
}

export const donePage = (heading: string, text: string, goOnTo?: { url: string; label: string }): Page => ({
  title: `${heading} – Plinth`,
  heading,
  narrow: true,
  body: `<section><p role="status">${escape(text)}</p>${
    goOnTo === undefined ? "" : `<p><a href="${escape(goOnTo.url)}">${escape(goOnTo.label)}</a></p>`
  }</section>`,
});
