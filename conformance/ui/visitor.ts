// A browser that notices everything which goes wrong on a page.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page, type Request } from "playwright-core";

const screenshots = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "test-output", "ui");

/** An answer of 400 or more that MLflow's own server gives as well. */
export type Expected = { readonly status: number; readonly path: RegExp; readonly why: string };

const always: readonly Expected[] = [
  {
    status: 404,
    path: /^\/ajax-api\/2\.0\/mlflow\/users\/current$/,
    why: "the UI asks whether there is a login, and takes 404 for no",
  },
];

/** The UI counts its use in a shared worker, whose script the browser goes on reading until the page closes. */
const worker = /\/TelemetryLogger\.telemetry-worker\.[0-9a-f]+\.worker\.js$/;

/** Says that a layout took more than one frame: on a busy machine any page's does. */
const resized = /^(?:null )?ResizeObserver loop completed with undelivered notifications\.$/;

/** How long nothing must be under way for a page to be complete, in milliseconds. */
const QUIET = 500;
/** For a page that draws charts while others have the processors. */
export const PATIENCE = 120_000;

export type Visitor = AsyncDisposable & {
  readonly page: Page;
  /** Leaves the page, and what went wrong on it. */
  leave(): Promise<void>;
  /** Opens a page of the UI by its hash path and waits until it has all it asked for. */
  open(path: string): Promise<void>;
  /** Waits until nothing is under way any more. */
  settle(): Promise<void>;
  /** Waits until a text shows. */
  see(text: string | RegExp): Promise<void>;
  screenshot(name: string): Promise<void>;
  /** What went wrong since the last time, but for what is expected; also other hosts that were asked. */
  faults(expected?: readonly Expected[]): readonly string[];
};

export async function startVisitor(executablePath: string, url: string): Promise<Visitor> {
  mkdirSync(screenshots, { recursive: true });
  // No sandbox within the sandbox that tests run in, which as root Chromium refuses.
  const browser: Browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, locale: "en-GB" });
  context.setDefaultTimeout(PATIENCE);
  // Each page as on a first visit: the UI remembers filters and modes. But not with the panel of the assistant,
  // which opens by itself and covers a third of the page.
  await context.addInitScript({
    content: `if (location.protocol === "http:") {
      localStorage.clear();
      sessionStorage.clear();
      localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
      localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
    }`,
  });
  const found: { text: string; status?: number; path?: string }[] = [];
  const others: string[] = [];
  // Nobody else is asked: the walk is the same without a network.
  await context.route(
    (address) => address.origin !== new URL(url).origin,
    (route) => {
      others.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  const underWay = new Set<Request>();
  const isOwn = (request: Request): boolean =>
    request.url().startsWith(`${url}/`) && !worker.test(request.url());
  page.on("request", (request) => {
    if (isOwn(request)) underWay.add(request);
  });
  page.on("requestfinished", (request) => underWay.delete(request));
  page.on("requestfailed", (request) => {
    underWay.delete(request);
    if (isOwn(request))
      found.push({ text: `failed: ${describe(request, url)}: ${request.failure()?.errorText ?? ""}` });
  });
  page.on("response", (response) => {
    const status = response.status();
    if (status < 400) return;
    const path = new URL(response.url()).pathname;
    found.push({ text: `${status}: ${describe(response.request(), url)}`, status, path });
  });
  page.on("console", (message) => {
    // The browser's own words for a request that failed are counted where the request is.
    if (message.type() !== "error" || message.text().startsWith("Failed to load resource")) return;
    if (resized.test(message.text())) return;
    found.push({ text: `console: ${message.text()}` });
  });
  page.on("pageerror", (error) => found.push({ text: `page error: ${error.stack ?? error.message}` }));

  const settle = async (): Promise<void> => {
    const until = Date.now() + PATIENCE;
    let since = Date.now();
    while (Date.now() - since < QUIET) {
      if (Date.now() > until) {
        throw new Error(
          `still under way: ${[...underWay].map((request) => describe(request, url)).join(", ")}`,
        );
      }
      await sleep(25);
      if (underWay.size > 0) since = Date.now();
    }
  };
  const faults: Visitor["faults"] = (expected = []) => {
    const accepted = [...always, ...expected];
    const wrong = found.filter(
      ({ status, path = "" }) => !accepted.some((one) => one.status === status && one.path.test(path)),
    );
    const texts = [...wrong.map(({ text }) => text), ...others.filter((one) => !media.test(one))];
    found.length = 0;
    others.length = 0;
    return texts;
  };
  return {
    page,
    settle,
    faults,
    async leave() {
      await page.goto("about:blank");
      faults();
    },
    async open(path) {
      // From an empty page, so that nothing is left of the page before.
      await page.goto("about:blank");
      await page.goto(`${url}/#${path}`);
      await settle();
    },
    async see(text) {
      await page.getByText(text).filter({ visible: true }).first().waitFor();
    },
    async screenshot(name) {
      await page.screenshot({ path: join(screenshots, `${name}.png`) });
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** Where there are no traces the UI shows a video of its documentation. */
const media = /^https:\/\/mlflow\.org\/docs\/.*\.mp4/;

const describe = (request: Request, url: string): string =>
  `${request.method()} ${request.url().replace(url, "")} ${request.postData() ?? ""}`.slice(0, 500);
