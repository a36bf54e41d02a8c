// Logins with a real browser: its cookies, its rules about other sites, and MLflow's own web UI behind a login.
import { createServer, type Server } from "node:http";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureClient } from "../src/environment.ts";
import { freePort } from "../src/process.ts";
import { admin, startGuardedPlinth, type Target } from "../src/target.ts";
import { ensureChromium } from "./chromium.ts";
import { PATIENCE } from "./visitor.ts";

const executablePath = ensureChromium();
const screenshots = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "test-output", "ui");

describe.runIf(executablePath !== undefined)("logins in a browser", () => {
  let target: Target;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let evil: Server;
  let evilPort: number;
  /** What a page of somebody else holds. */
  let trap = "";
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    target = await startGuardedPlinth(["--mlflow-ui", await ensureClient("3.17.2")]);
    browser = await chromium.launch({
      executablePath: executablePath ?? "",
      args: ["--no-sandbox", "--disable-gpu"],
    });
    evilPort = await freePort();
    evil = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end(trap);
    }).listen(evilPort);
  });
  afterAll(async () => {
    evil.closeAllConnections();
    evil.close();
    await browser.close();
    expect(await target.stop()).toBe(0);
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1200, height: 900 }, locale: "en-GB" });
    context.setDefaultTimeout(PATIENCE);
    page = await context.newPage();
    complaints.length = 0;
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
    });
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await shoot(`failed-${task.name.replaceAll(/\W+/g, "-")}`);
    await context.close();
  });

  const shoot = async (name: string): Promise<void> =>
    void (await page.screenshot({ path: join(screenshots, `login-${name}.png`), fullPage: true }));

  const fillIn = async (password: string): Promise<void> => {
    await page.getByLabel("User name").fill(admin.username);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
  };

  const logIn = async (path = "/plinth/account"): Promise<void> => {
    await page.goto(`${target.url}${path}`);
    await fillIn(admin.password);
  };

  it("leads to the page that was wanted, MLflow's route in it included", async () => {
    await page.goto(`${target.url}/#/experiments`);
    expect(new URL(page.url()).pathname).toBe("/plinth/login");
    await shoot("page");
    await page.emulateMedia({ colorScheme: "dark" });
    await shoot("page-dark");
    await fillIn("not the password of anybody");
    await page.getByRole("alert").getByText("The user name or the password is wrong.").waitFor();
    await shoot("wrong");
    expect(await page.getByLabel("User name").inputValue()).toBe(admin.username);
    await page.getByLabel("Password").fill(admin.password);
    await page.keyboard.press("Enter");
    await page.getByText("Default").first().waitFor();
    expect(page.url()).toBe(`${target.url}/#/experiments`);
    expect(complaints).toEqual([]);
    const cookies = await context.cookies();
    expect(cookies.find(({ name }) => name === "plinth_session")).toMatchObject({
      httpOnly: true,
      sameSite: "Lax",
      path: "/",
    });
  });

  it("lets MLflow's web UI work, changes too", async () => {
    await logIn("/#/experiments");
    await page.getByTestId("create-experiment-button").click();
    await page.getByPlaceholder("Input an experiment name").fill("behind the login");
    await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
    await page.waitForURL(/#\/experiments\/\d+/);
    await page.getByTestId("overflow-menu-trigger").click();
    await page.getByRole("menuitem", { name: "Edit experiment" }).click();
    await page.getByPlaceholder("Enter experiment name").fill("renamed behind the login");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("renamed behind the login").filter({ visible: true }).first().waitFor();
    await shoot("mlflow-ui");
    const found = await page.evaluate(
      `fetch("/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=renamed+behind+the+login").then((answer) => answer.status)`,
    );
    expect(found).toBe(200);
  });

  it("logs out with the button of MLflow's web UI", async () => {
    await logIn("/#/experiments");
    await page.getByText(admin.username, { exact: true }).filter({ visible: true }).first().click();
    await page.getByRole("menuitem", { name: "Logout" }).click();
    await page.getByText("This browser is not logged in any more.").waitFor();
    await page.goto(`${target.url}/`);
    expect(new URL(page.url()).pathname).toBe("/plinth/login");
  });

  it("asks with no window of the browser when the session ends under MLflow's web UI", async () => {
    await logIn("/#/experiments");
    await page.getByText("Default").first().waitFor();
    await context.clearCookies();
    const status = await page.evaluate(
      `fetch("/ajax-api/2.0/mlflow/experiments/search?max_results=1").then((answer) => answer.status + " " + answer.headers.get("www-authenticate"))`,
    );
    expect(status).toBe("401 null");
    await page.reload();
    expect(new URL(page.url()).pathname).toBe("/plinth/login");
  });

  it("shows the account: a key, the sessions, the way out", async () => {
    await logIn();
    await page.getByRole("heading", { name: "API keys" }).waitFor();
    await page.getByLabel("Name", { exact: true }).fill("notebook");
    await page.getByLabel("May at most").selectOption("READ");
    await page.getByRole("button", { name: "Make the key" }).click();
    const key = await page.locator("#new-key").textContent();
    await shoot("account");
    const answer = await fetch(`${target.url}/api/2.0/mlflow/experiments/get?experiment_id=0`, {
      headers: { authorization: `Bearer ${key ?? ""}` },
    });
    expect(answer.status).toBe(200);
    await page.getByRole("button", { name: "Delete notebook" }).click();
    await page.getByText("The key is deleted").waitFor();
    await page.emulateMedia({ colorScheme: "dark" });
    await shoot("account-dark");
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByText("This browser is not logged in any more.").waitFor();
    await page.goBack();
    await page.goto(`${target.url}/plinth/account`);
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("lets a command line in", async () => {
    const clientId = crypto.randomUUID();
    const started = await fetch(`${target.url}/api/v1/device_authorization`, {
      method: "POST",
      body: new URLSearchParams({ client_id: clientId }),
    });
    const { device_code: code, verification_uri_complete: uri } = (await started.json()) as Record<
      string,
      string
    >;
    const { pathname, search } = new URL(uri ?? "", target.url);
    await logIn(pathname + search);
    await shoot("device");
    await page.getByRole("button", { name: "Let it in" }).click();
    await page.getByText("You can close this page").waitFor();
    const token = await fetch(`${target.url}/api/v1/login`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:device_code",
        client_id: clientId,
        device_code: code ?? "",
      }),
    });
    expect(token.status).toBe(200);
    expect(await token.json()).toMatchObject({ token_type: "bearer" });
  });

  // A site on another port is the same site to cookies: the browser sends them along. On another name it is not.
  it.each(["127.0.0.1", "localhost"])("takes nothing from a page of another origin on %s", async (name) => {
    await logIn();
    await page.getByRole("heading", { name: "API keys" }).waitFor();
    const before = await context.cookies(target.url);
    const form = (path: string, type: string, fields: string): string =>
      `<form method="post" action="${target.url}${path}" enctype="${type}">${fields}</form>`;
    const forms = [
      form(
        "/plinth/login",
        "application/x-www-form-urlencoded",
        `<input name="username" value="${admin.username}"><input name="password" value="${admin.password}">`,
      ),
      form("/plinth/logout", "application/x-www-form-urlencoded", ""),
      form("/plinth/account/keys", "application/x-www-form-urlencoded", `<input name="name" value="stolen">`),
      form(
        "/api/2.0/mlflow/experiments/create",
        "text/plain",
        `<input name='{"name":"forged","x":"' value='"}'>`,
      ),
    ];
    for (const one of forms) {
      trap = `<!doctype html>${one}<script>document.forms[0].submit()</script>`;
      const answered = page.waitForResponse((response) => response.request().method() === "POST");
      await page.goto(`http://${name}:${evilPort}/`).catch(() => undefined);
      // Without a cookie, what needs a session is refused as nobody's.
      expect([401, 403]).toContain((await answered).status());
    }
    // By script, too: the answer cannot be read, and nothing was done.
    trap = "<!doctype html>";
    await page.goto(`http://${name}:${evilPort}/`);
    const seen = await page.evaluate(
      `fetch("${target.url}/ajax-api/2.0/mlflow/experiments/create", { method: "POST", credentials: "include", headers: { "content-type": "text/plain" }, body: '{"name":"forged"}' }).then((answer) => answer.status, () => "nothing")`,
    );
    expect(seen).toBe("nothing");
    expect(await context.cookies(target.url)).toEqual(before);
    const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString("base64")}`;
    const forged = await fetch(
      `${target.url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=forged`,
      {
        headers: { authorization },
      },
    );
    expect(forged.status).toBe(404);
    await page.goto(`${target.url}/plinth/account`);
    await page.getByRole("heading", { name: "API keys" }).waitFor();
    expect(await page.getByText("stolen").count()).toBe(0);
  });

  it("is in no frame of another page", async () => {
    await logIn();
    trap = `<!doctype html><iframe src="${target.url}/plinth/account"></iframe>`;
    await page.goto(`http://127.0.0.1:${evilPort}/`);
    const frame = page.frames().find((one) => one !== page.mainFrame());
    await expect.poll(() => frame?.url() ?? "").toMatch(/^chrome-error:/);
  });
});
