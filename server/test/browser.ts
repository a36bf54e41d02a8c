import { request } from "node:http";
import type { TestServer } from "./harness.ts";

/** What a browser does without its window: keeps cookies, fills in forms, follows nothing by itself. */
export type TestBrowser = {
  readonly cookies: Map<string, string>;
  open(path: string, headers?: Record<string, string>): Promise<Visit>;
  /** Sends a form with the hidden fields of the page that was opened last, unless `fields` has them. */
  submit(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Visit>;
  /** What a script of a page asks for. */
  ask(method: string, path: string, headers?: Record<string, string>): Promise<Visit>;
  logIn(name: string, password: string): Promise<Visit>;
};

export type Visit = { status: number; location: string | null; headers: Headers; text: string };

const navigation = {
  accept: "text/html,application/xhtml+xml,*/*;q=0.8",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};

/** `site` is the address in the browser's bar, where that is not the server's own. */
export function openBrowser({ url }: Pick<TestServer, "url">, site = url): TestBrowser {
  const { host } = new URL(site);
  const cookies = new Map<string, string>();
  let token = "";

  const visit = async (
    method: string,
    path: string,
    sent: { headers: Record<string, string>; body?: URLSearchParams },
  ): Promise<Visit> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const at = new URL(path, site);
    const visited = await exchange(new URL(at.pathname + at.search, url), {
      method,
      body: sent.body?.toString(),
      headers: {
        host,
        ...(cookie === "" ? {} : { cookie }),
        ...(sent.body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        ...sent.headers,
      },
    });
    for (const line of visited.headers.getSetCookie()) keep(line);
    token = /name="form_token" value="([\w-]+)"/.exec(visited.text)?.[1] ?? token;
    return visited;
  };
  const keep = (line: string): void => {
    const [pair = "", ...attributes] = line.split("; ");
    const [name = "", ...value] = pair.split("=");
    if (attributes.includes("Max-Age=0")) cookies.delete(name);
    else cookies.set(name, value.join("="));
  };

  const browser: TestBrowser = {
    cookies,
    open: (path, headers = {}) =>
      visit("GET", path, { headers: { ...navigation, "sec-fetch-site": "none", ...headers } }),
    submit: (path, fields, headers = {}) =>
      visit("POST", path, {
        body: new URLSearchParams({ form_token: token, ...fields }),
        headers: { ...navigation, "sec-fetch-site": "same-origin", origin: site, ...headers },
      }),
    ask: (method, path, headers = {}) =>
      visit(method, path, {
        headers: { accept: "*/*", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin", ...headers },
      }),
    async logIn(username, password) {
      await browser.open("/plinth/login");
      return browser.submit("/plinth/login", { username, password });
    },
  };
  return browser;
}

/** Not `fetch`, which says of itself that it is a script. */
function exchange(
  url: URL,
  sent: { method: string; headers: Record<string, string>; body: string | undefined },
): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const { method, headers, body } = sent;
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const received = new Headers();
        for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
          for (const value of values) received.append(name, value);
        }
        resolve({
          status: answer.statusCode ?? 0,
          location: received.get("location"),
          headers: received,
          text: Buffer.concat(chunks).toString("utf8"),
        });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
