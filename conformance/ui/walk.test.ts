// MLflow's own web UI on Plinth, in a real browser: every page, and nothing on it may go wrong.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureClient } from "../src/environment.ts";
import { runFlow } from "../src/python.ts";
import { startPlinth, type Target } from "../src/target.ts";
import { ensureChromium } from "./chromium.ts";
import { files, pages, readData, type Data } from "./data.ts";
import { PATIENCE, startVisitor, type Expected, type Visitor } from "./visitor.ts";

const chromium = ensureChromium();

/** A page that is still drawing, on a machine that has other work. */
const patiently = { timeout: PATIENCE };

const nameIsFree: Expected = {
  status: 404,
  path: /\/experiments\/get-by-name$/,
  why: "the UI asks whether a name is taken, and takes 404 for no",
};

describe.runIf(chromium !== undefined)("MLflow's web UI", () => {
  let target: Target;
  let data: Data;
  let visitor: Visitor;

  beforeAll(async () => {
    target = await startPlinth(["--mlflow-ui", await ensureClient("3.17.2")]);
    data = readData(await runFlow({ version: "3.17.2", script: "web_ui", url: target.url }));
    visitor = await startVisitor(chromium ?? "", target.url);
  });
  afterAll(async () => {
    await visitor[Symbol.asyncDispose]();
    expect(await target.stop()).toBe(0);
  });

  beforeEach(async ({ onTestFailed, task }) => {
    await visitor.leave();
    onTestFailed(() => visitor.screenshot(`failed ${task.name}`.replaceAll(/[^a-z0-9.]+/gi, "-")));
  });

  for (const [name, { path, shows }] of Object.entries(pages)) {
    it(`shows ${name}`, async () => {
      await visitor.open(path(data));
      for (const text of shows) await visitor.see(text);
      await visitor.settle();
      await visitor.screenshot(name);
      expect(visitor.faults()).toEqual([]);
    });
  }

  for (const [name, { frame, shows, image }] of Object.entries(files)) {
    it(`opens the file ${name}`, async () => {
      const { page } = visitor;
      await visitor.open(`/experiments/${data.experiment}/runs/${data.main}/artifacts/${name}`);
      if (shows !== undefined) await visitor.see(shows);
      if (frame !== undefined) await page.frameLocator("iframe").getByText(frame).waitFor();
      if (image === true) {
        await expect
          .poll(
            () => page.evaluate(`[...document.images].some(({ naturalWidth }) => naturalWidth === 200)`),
            patiently,
          )
          .toBe(true);
      }
      await visitor.settle();
      await visitor.screenshot(`file-${name.replace("/", "-")}`);
      expect(visitor.faults()).toEqual([]);
    });
  }

  it("opens a file of a logged model and of a version", async () => {
    await visitor.open(`/experiments/${data.experiment}/models/${data.models[0] ?? ""}/artifacts`);
    await visitor.page.getByText("MLmodel", { exact: true }).first().click();
    await visitor.see(/artifact_path|model_uuid/);
    await visitor.settle();
    expect(visitor.faults()).toEqual([]);
  });

  it("loads the runs beyond the first hundred", async () => {
    const { page } = visitor;
    await visitor.open(`/experiments/${data.experiment}/runs`);
    await visitor.see("trial-104");
    const more = page.getByRole("button", { name: "Load more" });
    await expect
      .poll(async () => {
        await page
          .locator(".ag-body-viewport")
          .first()
          .evaluate((list) => list.scrollTo(0, list.scrollHeight));
        return more.isVisible();
      }, patiently)
      .toBe(true);
    await more.click();
    await visitor.settle();
    await page
      .locator(".ag-body-viewport")
      .first()
      .evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await visitor.see("trial-000");
    await visitor.screenshot("runs-beyond-100");
    expect(visitor.faults()).toEqual([]);
  });

  it("filters by what is typed", async () => {
    const { page } = visitor;
    await visitor.open(`/experiments/${data.experiment}/runs`);
    const box = page.getByTestId("search-box");
    await box.fill('attributes.run_name LIKE "trial-05_"');
    // Suggestions cover the list, and take the first Enter.
    await box.press("Escape");
    await box.press("Enter");
    await page.waitForURL(/searchFilter=/);
    await visitor.see("trial-059");
    await visitor.settle();
    expect(await page.getByText("trial-104").count()).toBe(0);
    expect(visitor.faults()).toEqual([]);
  });

  it("creates, renames and deletes an experiment", async () => {
    const { page } = visitor;
    await visitor.open("/experiments");
    await page.getByTestId("create-experiment-button").click();
    await page.getByPlaceholder("Input an experiment name").fill("made in the browser");
    await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
    await page.waitForURL(/#\/experiments\/\d+/);
    await visitor.see("made in the browser");
    await visitor.settle();
    await visitor.screenshot("experiment-created");
    expect(visitor.faults([nameIsFree])).toEqual([]);

    await page.getByTestId("overflow-menu-trigger").click();
    await page.getByRole("menuitem", { name: "Edit experiment" }).click();
    await page.getByPlaceholder("Enter experiment name").fill("renamed in the browser");
    await page.getByTestId("text-area").last().fill("Described in the browser.");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await visitor.see("renamed in the browser");
    await visitor.settle();
    expect(visitor.faults([nameIsFree])).toEqual([]);

    await page.getByTestId("overflow-menu-trigger").click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.waitForURL(/#\/experiments$/);
    await visitor.settle();
    await visitor.see("speech");
    const rows = page.getByRole("row").filter({ hasText: "renamed in the browser" });
    await expect.poll(() => rows.count(), patiently).toBe(0);
    expect(visitor.faults()).toEqual([]);
  });

  it("edits a run's description and tags", async () => {
    const { page } = visitor;
    await visitor.open(`/experiments/${data.experiment}/runs/${data.trials[0] ?? ""}`);
    await page.getByRole("button", { name: "Edit description" }).click();
    await page.getByTestId("text-area").fill("Looked at in the browser.");
    await page.getByTestId("editable-note-save-button").click();
    await visitor.see("Looked at in the browser.");
    await page.getByRole("button", { name: "Edit tags" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("combobox").fill("verdict");
    await dialog.getByRole("combobox").press("Enter");
    await dialog.getByPlaceholder("Type a value").fill("worth a second look");
    await dialog.getByRole("button", { name: "Add tag" }).click();
    await dialog.getByRole("button", { name: "Save tags" }).click();
    await visitor.see("worth a second look");
    await visitor.settle();
    await visitor.screenshot("run-edited");
    expect(visitor.faults()).toEqual([]);
    await visitor.open(`/experiments/${data.experiment}/runs/${data.trials[0] ?? ""}`);
    await visitor.see("Looked at in the browser.");
    await visitor.see("worth a second look");
    expect(visitor.faults()).toEqual([]);
  });

  it("edits a registered model's description and tags", async () => {
    const { page } = visitor;
    await visitor.open("/models/other-0");
    await page.getByText("Edit", { exact: true }).first().click();
    await page.getByTestId("text-area").fill("A model described in the browser.");
    await page.getByTestId("editable-note-save-button").click();
    await visitor.see("A model described in the browser.");
    await visitor.settle();
    expect(visitor.faults()).toEqual([]);
  });

  it("runs no script that hides in names, texts and files", async () => {
    const run = `/experiments/${data.experiment}/runs/${data.trap}`;
    const places: readonly (readonly [path: string, shows: string | RegExp])[] = [
      [`/experiments/${data.experiment}/runs`, /window\.taken/],
      [run, "About this run"],
      [`${run}/artifacts/trap/MLmodel`, "js/function"],
      [`${run}/artifacts/trap/picture.svg`, /^Path: .*picture\.svg/],
      [`${run}/artifacts/trap/page.md`, /^Path: .*page\.md/],
      ["/models/trap", "Version 1"],
      ["/models/trap/versions/1", "Outputs (0)"],
    ];
    for (const [path, shows] of places) {
      await visitor.open(path);
      await visitor.see(shows);
      await visitor.settle();
      await visitor.screenshot(`trap${path.replaceAll(/\W+/g, "-").replaceAll(/[0-9a-f]{32}/g, "run")}`);
      expect([path, await visitor.page.evaluate("window.taken")]).toEqual([path, undefined]);
    }
    // A picture that is not there is asked for where Markdown may hold one; a broken MLmodel is told on the console.
    visitor.faults();
  });

  it("says so of what is not there", async () => {
    await visitor.open("/experiments/999/runs");
    await visitor.settle();
    await visitor.screenshot("not-there");
    const notThere = { status: 404, path: /\/experiments\/get$/, why: "there is no such experiment" };
    expect(visitor.faults([notThere])).toEqual([]);
  });
});
