import { createHash } from "node:crypto";
import type { FastifyReply } from "fastify";

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it stands in markup, and between quotation marks in it. */
export const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);

// Colours keep a contrast of at least 4.5:1 in both schemes.
const style = `
  :root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1b1f24; --quiet: #57606a;
    --edge: #d8dee4; --field: #8c959f; --code: #f0f2f5; --link: #0a58b8; --on-link: #fff; --good: #1a7f37;
    --bad: #b3261e; --bad-page: #fdecea; --good-page: #e6f4ea; }
  @media (prefers-color-scheme: dark) { :root { --page: #0f1318; --card: #171c23; --text: #e6e9ee;
    --quiet: #9aa4b0; --edge: #2d3540; --field: #6b7684; --code: #0f1318; --link: #79b8ff; --on-link: #0f1318;
    --good: #56d364; --bad: #ff9d96; --bad-page: #3a1d1d; --good-page: #16301f; } }
  * { box-sizing: border-box; }
  body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; margin: 0; }
  header, main { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
  header { display: flex; align-items: center; gap: 1rem; padding-top: 2.5rem; padding-bottom: 1.5rem; }
  header svg { width: 3rem; height: 3rem; color: var(--link); flex: none; }
  header nav { margin-left: auto; display: flex; flex-wrap: wrap; align-items: center; gap: .35rem 1.1rem; }
  h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; }
  header p { margin: 0; color: var(--quiet); }
  .state { color: var(--good); font-weight: 600; }
  main { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.25rem; align-items: start;
    padding-bottom: 3rem; }
  @media (max-width: 54rem) { main { grid-template-columns: minmax(0, 1fr); } }
  section { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 1.25rem 1.5rem; }
  h2 { font-size: 1.15rem; margin: 0 0 .75rem; } h3 { font-size: 1rem; margin: 1.1rem 0 .4rem; }
  pre { background: var(--code); border: 1px solid var(--edge); border-radius: 8px; margin: 0;
    padding: .7rem 1rem; overflow-x: auto; }
  code { font: .9em/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
  dl { margin: 0; display: grid; grid-template-columns: auto minmax(0, 1fr); }
  dt, dd { padding: .45rem 0; border-bottom: 1px solid var(--edge); margin: 0; }
  dt { color: var(--quiet); padding-right: 1.25rem; } dd { overflow-wrap: anywhere; }
  ul { list-style: none; padding: 0; margin: .4rem 0 0; } li { padding: .15rem 0; color: var(--quiet); }
  a { color: var(--link); }
  :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
  .narrow header, .narrow main { max-width: 27rem; }
  .narrow header { padding-top: 12vh; }
  .narrow main { display: block; }
  .stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; }
  form { margin: 0; }
  label { display: block; font-weight: 600; margin: .9rem 0 .25rem; }
  label small, .hint { color: var(--quiet); font-weight: 400; }
  .hint { margin: .25rem 0 0; font-size: .9rem; }
  input[type=text], input[type=password], input[type=number], select { width: 100%; padding: .55rem .7rem;
    border: 1px solid var(--field); border-radius: 8px; background: var(--card); color: var(--text); font: inherit; }
  .tick { font-weight: 400; display: flex; gap: .5rem; align-items: baseline; }
  button, .button { display: inline-block; padding: .55rem 1.1rem; border: 1px solid var(--link); border-radius: 8px;
    background: var(--link); color: var(--on-link); font: inherit; font-weight: 600; cursor: pointer;
    text-decoration: none; text-align: center; }
  .wide { width: 100%; margin-top: 1.25rem; }
  button.plain, .button.plain { background: transparent; color: var(--link); }
  button.small { padding: .2rem .7rem; font-size: .9rem; }
  button.link { border: 0; background: none; color: var(--link); padding: 0; font-weight: 400; text-decoration: underline; }
  .or { text-align: center; color: var(--quiet); margin: 1rem 0 0; }
  .note { border-radius: 8px; padding: .7rem 1rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
  .note.bad { background: var(--bad-page); color: var(--bad); }
  .note.good { background: var(--good-page); color: var(--good); }
  .row { display: flex; gap: 1rem; align-items: center; justify-content: space-between; padding: .55rem 0;
    border-bottom: 1px solid var(--edge); color: var(--text); }
  .row small { color: var(--quiet); display: block; overflow-wrap: anywhere; }
  .columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; }`;

const mark = `<svg viewBox="0 0 48 48" fill="currentColor" aria-hidden="true"><rect x="14" y="6" width="20" height="5" rx="1"/>
<rect x="17" y="13" width="14" height="19"/><rect x="11" y="34" width="26" height="4" rx="1"/><rect x="6" y="40" width="36" height="5" rx="1"/></svg>`;

export type Page = {
  /** In the title of the window. */
  title: string;
  heading: string;
  /** Below the heading, as markup. */
  under?: string;
  /** Beside the heading, as markup. */
  beside?: string;
  /** Within `main`, as markup. */
  body: string;
  narrow?: boolean;
  /** Where the browser goes on by itself. */
  goOnTo?: string;
};

/** A page of ours: one file that needs no script and no other file. */
export function renderPage({ title, heading, under, beside, body, narrow, goOnTo }: Page): string {
  const refresh =
    goOnTo === undefined ? "" : `<meta http-equiv="refresh" content="0; url=${escape(goOnTo)}">`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>${refresh}
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${style}</style></head>
<body${narrow === true ? ' class="narrow"' : ""}>
<header>${mark}<div><h1>${escape(heading)}</h1>${under === undefined ? "" : `<p>${under}</p>`}</div>${beside ?? ""}</header>
<main>
${body}
</main>
</body></html>
`;
}

const styleHash = createHash("sha256").update(style).digest("base64");

/** Forms go to this server, nothing runs, and nobody shows the page within one of theirs (clickjacking). */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  return reply
    .header("content-security-policy", POLICY)
    .header("x-frame-options", "DENY")
    .header("cross-origin-opener-policy", "same-origin")
    .header("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    .header("cache-control", "no-store")
    .type("text/html; charset=utf-8")
    .send(renderPage(page));
}
