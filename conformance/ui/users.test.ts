// The pages of users and roles that MLflow's own web UI has, in a real browser: nothing on them may go wrong.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureClient } from "../src/environment.ts";
import { send } from "../src/http.ts";
import { admin, startGuardedPlinth, type Target } from "../src/target.ts";
import { ensureChromium } from "./chromium.ts";
import { startVisitor, type Visitor } from "./visitor.ts";

const chromium = ensureChromium();

describe.runIf(chromium !== undefined)("MLflow's pages of users and roles", () => {
  let target: Target;
  let visitor: Visitor;
  let role = 0;

  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const login = Buffer.from(`${admin.username}:${admin.password}`).toString("base64");
    const answer = await send({
      base: target.url,
      method,
      path,
      headers: { authorization: `Basic ${login}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect([answer.status, answer.body.toString()]).toEqual([200, expect.any(String)]);
    return JSON.parse(answer.body.toString()) as unknown;
  };

  beforeAll(async () => {
    target = await startGuardedPlinth(["--mlflow-ui", await ensureClient("3.17.2")]);
    await ask("POST", "/api/2.0/mlflow/users/create", { username: "bob", password: "the password of bob" });
    const made = (await ask("POST", "/api/3.0/mlflow/roles/create", {
      workspace: "default",
      name: "readers",
    })) as { role: { id: number } };
    role = made.role.id;
    const grant = { resource_type: "experiment", resource_pattern: "*", permission: "READ" };
    await ask("POST", "/api/3.0/mlflow/roles/permissions/add", { role_id: role, ...grant });
    await ask("POST", "/api/3.0/mlflow/roles/assign", { role_id: role, username: "bob" });
    visitor = await startVisitor(chromium ?? "", target.url);
    const { page } = visitor;
    await page.goto(`${target.url}/plinth/login`);
    await page.getByLabel("User name").fill(admin.username);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await visitor.settle();
  });
  afterAll(async () => {
    await visitor[Symbol.asyncDispose]();
    expect(await target.stop()).toBe(0);
  });
  beforeEach(async ({ onTestFailed, task }) => {
    await visitor.leave();
    onTestFailed(() => visitor.screenshot(`failed ${task.name}`.replaceAll(/[^a-z0-9.]+/gi, "-")));
  });

  const pages: Readonly<Record<string, { path: () => string; shows: readonly string[] }>> = {
    account: { path: () => "/account", shows: ["Logged in as", "Permissions"] },
    users: { path: () => "/admin", shows: ["Create User", "bob", "readers"] },
    roles: { path: () => "/admin?tab=roles", shows: ["Create Role", "viewer", "editor", "readers"] },
    "one user": { path: () => "/admin/users/bob", shows: ["Edit access", "readers"] },
    "one role": { path: () => `/admin/roles/${role}`, shows: ["Edit role", "experiment", "READ"] },
  };

  for (const [name, { path, shows }] of Object.entries(pages)) {
    it(`shows ${name}`, async () => {
      await visitor.open(path());
      for (const text of shows) await visitor.see(text);
      await visitor.settle();
      await visitor.screenshot(`admin-${name.replace(" ", "-")}`);
      expect(visitor.faults()).toEqual([]);
    });
  }

  it("makes a user", async () => {
    const { page } = visitor;
    await visitor.open("/admin");
    await page.getByRole("button", { name: "Create User" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").nth(0).fill("cid");
    await dialog.locator("input[type=password]").first().fill("the password of cid");
    await visitor.screenshot("admin-new-user");
    await dialog.getByRole("button", { name: /^Create/ }).click();
    await dialog.waitFor({ state: "hidden" });
    await visitor.see("cid");
    await visitor.settle();
    expect(visitor.faults()).toEqual([]);
    expect(await ask("GET", "/api/2.0/mlflow/users/get?username=cid")).toMatchObject({
      user: { username: "cid", is_admin: false },
    });
  });
});
