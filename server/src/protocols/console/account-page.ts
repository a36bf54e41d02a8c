import type {
  ApiKeyRow,
  DeviceRow,
  PrincipalRow,
  SessionRow,
  ShownKey,
} from "../../modules/identity/index.ts";
import { shownNote, type Note } from "./form.ts";
import { escape, type Page } from "./page.ts";

export type Account = {
  token: string;
  beside: string;
  note: Note | undefined;
  principal: PrincipalRow;
  sessions: readonly SessionRow[];
  /** The one of this browser. */
  currentSession: string | undefined;
  keys: readonly ApiKeyRow[];
  devices: readonly DeviceRow[];
  /** A key that was just made: shown this once. */
  newKey: ShownKey | undefined;
};

const time = (at: number | null): string =>
  at === null
    ? "never"
    : `<time datetime="${new Date(at).toISOString()}">${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC</time>`;

/** One's own password, sessions, keys and devices. */
export function accountPage(account: Account): Page {
  const { principal, note, newKey } = account;
  return {
    title: "Account – Plinth",
    heading: principal.full_name ?? principal.name,
    under: `<a href="/">Plinth</a> · <code>${escape(principal.name)}</code>${principal.email === null ? "" : ` · ${escape(principal.email)}`}`,
    beside: account.beside,
    body: `<div class="stack">${shownNote(note)}${newKey === undefined ? "" : shownKey(newKey)}${keys(account)}</div>
<div class="stack">${password(account)}${sessions(account)}${devices(account)}</div>`,
  };
}

const shownKey = ({ key, row }: ShownKey): string => `<section><h2>The key “${escape(row.name)}”</h2>
<p class="note good" role="status">Copy it now: it is not shown again.</p>
<pre tabindex="0" aria-label="The new API key"><code id="new-key">${escape(key)}</code></pre>
<p class="hint">MLflow takes it as <code>MLFLOW_TRACKING_TOKEN</code>, other programs as <code>Authorization: Bearer</code>.</p></section>`;

const button = (given: {
  token: string;
  action: string;
  field: string;
  value: string;
  text: string;
  of: string;
}): string =>
  `<form method="post" action="${given.action}">${given.token}<input type="hidden" name="${given.field}" value="${escape(given.value)}">
<button class="plain small" aria-label="${escape(`${given.text} ${given.of}`)}">${given.text}</button></form>`;

function keys({ keys: rows, token }: Account): string {
  const list = rows.map(
    (
      row,
    ) => `<div class="row"><div>${escape(row.name)}<small>${limitsOf(row)} · expires ${time(row.expires_at)} · used ${time(row.last_used_at)}</small></div>
${button({ token, action: "/plinth/account/keys/delete", field: "key_id", value: row.key_id, text: "Delete", of: row.name })}</div>`,
  );
  return `<section><h2>API keys</h2>
<p class="hint">For programs that work in your name.</p>
${list.join("")}
<h3>New key</h3>
<form method="post" action="/plinth/account/keys">${token}
<label for="key-name">Name</label>
<input id="key-name" name="name" type="text" autocomplete="off" maxlength="255" required>
<div class="columns"><div><label for="key-days">Expires</label>
<select id="key-days" name="days"><option value="7">in 7 days</option><option value="30">in 30 days</option>
<option value="90" selected>in 90 days</option><option value="365">in a year</option><option value="">never</option></select></div>
<div><label for="key-permission">May at most</label>
<select id="key-permission" name="max_permission"><option value="">what you may</option><option value="READ">read</option>
<option value="USE">read and use</option><option value="EDIT">read, use and edit</option></select></div></div>
<label for="key-workspaces">Only in these workspaces <small>names separated by commas; empty: all of yours</small></label>
<input id="key-workspaces" name="workspaces" type="text" autocomplete="off" spellcheck="false">
<button class="wide">Make the key</button></form></section>`;
}

function limitsOf({ max_permission, workspaces, active }: ApiKeyRow): string {
  const limits = [
    ...(active ? [] : ["inactive"]),
    max_permission === null ? "all you may" : `at most ${max_permission}`,
    ...(workspaces === null ? [] : [`only in ${workspaces.join(", ")}`]),
  ];
  return escape(limits.join(", "));
}

const password = ({ principal, token }: Account): string =>
  principal.has_password
    ? `<section><h2>Password</h2><form method="post" action="/plinth/account/password">${token}
<input type="hidden" name="username" autocomplete="username" value="${escape(principal.name)}">
<label for="current">Current password</label>
<input id="current" name="current" type="password" autocomplete="current-password" required>
<label for="password">New password <small>at least 12 characters</small></label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12" required>
<label for="repeated">New password again</label>
<input id="repeated" name="repeated" type="password" autocomplete="new-password" minlength="12" required>
<p class="hint">All other browsers and devices are logged out.</p>
<button class="wide">Change the password</button></form></section>`
    : `<section><h2>Password</h2><p class="hint">You log in with your provider, and have no password here.</p></section>`;

function sessions({ sessions: rows, currentSession, token }: Account): string {
  const list = rows.map((row) => {
    const here = row.session_id === currentSession ? "<b>This browser</b>, " : "";
    const agent = row.user_agent ?? "unknown browser";
    return `<div class="row"><div>${here}${escape(row.address)}<small>${escape(agent)}</small><small>since ${time(row.creation_timestamp)} · used ${time(row.last_used_at)}</small></div>
${button({ token, action: "/plinth/account/sessions/end", field: "session_id", value: row.session_id, text: "End", of: `the session from ${row.address}` })}</div>`;
  });
  return `<section><h2>Browsers</h2>${list.join("")}</section>`;
}

function devices({ devices: rows, token }: Account): string {
  if (rows.length === 0) return "";
  const list = rows.map((row) => {
    const name = row.hostname ?? row.address ?? "unknown";
    return `<div class="row"><div>${escape(name)}<small>${escape(row.os ?? "")} · ${row.status} · until ${time(row.expires_at)}</small></div>
${button({ token, action: "/plinth/account/devices/delete", field: "device_id", value: row.device_id, text: "Log out", of: name })}</div>`;
  });
  return `<section><h2>Devices</h2>${list.join("")}</section>`;
}
