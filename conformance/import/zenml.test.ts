// ZenML servers that the real client has worked with are imported; then both are asked the same, and say the same.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zenmlClients, type ZenmlVersion } from "../src/environment.ts";
import { startChild } from "../src/process.ts";
import { admin, startPlinth, type Target } from "../src/target.ts";
import { differencesOf } from "../zenml/answers.ts";
import { asAdmin, runZenmlFlow } from "../zenml/flow.ts";
import { startZenmlReference, type Server } from "../zenml/reference.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** What is compared: lists, and how many of each there must be at least. */
const lists: readonly { path: string; atLeast: number; only?: ZenmlVersion }[] = [
  { path: "/pipelines", atLeast: 3 },
  { path: "/runs", atLeast: 5 },
  { path: "/steps", atLeast: 8 },
  { path: "/artifacts", atLeast: 2 },
  { path: "/artifact_versions", atLeast: 4 },
  { path: "/models", atLeast: 1 },
  { path: "/model_versions", atLeast: 1 },
  { path: "/tags", atLeast: 2 },
  { path: "/pipeline_snapshots", atLeast: 3, only: "0.98.0" },
  { path: "/pipeline_deployments", atLeast: 3 },
];

/** What each side says in its own way, with the reason. */
const differing: readonly [field: RegExp, why: string][] = [
  [
    /\buser(?:_id)?\b|latest_run_user/,
    "accounts of the same name are the same, with ids and times of their own",
  ],
  [
    /(?:^|\.)stack\b|components?\b|flavor\b|artifact_store_id$/,
    "the default stack and its components are each server's own",
  ],
  [/\.updated$/, "a run is touched again when its steps come"],
  [/logs\b|log_collection/, "compared by the logs themselves"],
];

type Item = { id: string; name?: string };
type Page = { items: Item[]; total: number };

describe.each(zenmlClients)("an import from ZenML %s", (version) => {
  let source: Server | undefined;
  let plinth: Target | undefined;
  let report: { projects: { counts: Record<string, number> }[] };

  beforeAll(async () => {
    [source, plinth] = await Promise.all([startZenmlReference(version), startPlinth()]);
    const env = { ...asAdmin(source.url), OWN_FLAVOR: "own-flavor" };
    await runZenmlFlow({ version, script: "pipelines", url: source.url, args: ["v1"], env });
    report = await runImport(source.url, plinth.dataDir ?? "");
  });
  afterAll(async () => {
    await source?.stop();
    if (plinth !== undefined) expect(await plinth.stop()).toBe(0);
  });

  const ask = async (server: "source" | "plinth", path: string): Promise<unknown> => {
    const target = server === "source" ? source : plinth;
    const headers = {
      "user-agent": `zenml/${version}`,
      ...(server === "source" ? { authorization: `Bearer ${source?.token}` } : {}),
    };
    const answer = await fetch(`${target?.url}/api/v1${path}`, { headers });
    const text = await answer.text();
    expect([server, path, answer.status, text]).toEqual([server, path, 200, expect.any(String)]);
    return JSON.parse(text);
  };

  it("counts what came", () => {
    const [counts] = report.projects.map((one) => one.counts);
    expect(counts).toMatchObject({ pipelines: expect.any(Number), runs: expect.any(Number) });
  });

  const compared = lists.filter(({ only }) => only === undefined || only === version);
  it.each(compared)("$path: the same as the source, whole", async ({ path, atLeast }) => {
    const query = "?project=default&hydrate=true&size=500&sort_by=asc:created";
    const [theirs, mine] = (await Promise.all([
      ask("source", path + query),
      ask("plinth", path + query),
    ])) as [Page, Page];
    expect(theirs.total).toBeGreaterThanOrEqual(atLeast);
    expect(mine.items.map(({ id }) => id).toSorted()).toEqual(theirs.items.map(({ id }) => id).toSorted());
    const own = new Map(mine.items.map((one) => [one.id, one]));
    const projects = await Promise.all([
      ask("source", "/projects/default"),
      ask("plinth", "/projects/default"),
    ]);
    const [theirProject, myProject] = projects as [Item, Item];
    const plain = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value).replaceAll(theirProject.id, "<project>").replaceAll(myProject.id, "<project>"),
      );
    const found = theirs.items.flatMap((one) =>
      differencesOf(plain(own.get(one.id)), plain(one), () => true).filter(
        (text) => !differing.some(([field]) => field.test(text.slice(0, text.indexOf(":")))),
      ),
    );
    expect(found).toEqual([]);
  });

  it("shows the real client what its own server showed it", async () => {
    const url = plinth?.url ?? "";
    const seen = (env: NodeJS.ProcessEnv, address: string): Promise<unknown> =>
      runZenmlFlow({ version, script: "imported", url: address, env });
    const theirs = await seen(asAdmin(source?.url ?? ""), source?.url ?? "");
    const mine = await seen({ ZENML_STORE_URL: url }, url);
    expect(mine).toEqual(theirs);
  });

  it("changes nothing when it is done again", async () => {
    const before = (await ask("plinth", "/runs?project=default&size=1")) as Page;
    const child = importing(source?.url ?? "", plinth?.dataDir ?? "");
    expect([await child.ended, child.output()]).toEqual([0, expect.any(String)]);
    expect(((await ask("plinth", "/runs?project=default&size=1")) as Page).total).toBe(before.total);
  });
});

const importing = (url: string, dataDir: string): ReturnType<typeof startChild> =>
  startChild(
    join(root, "node_modules", ".bin", "node"),
    [join(root, "cli", "src", "main.ts"), "import", "zenml", url, "--json", "--data-dir", dataDir],
    {
      cwd: root,
      env: { ...process.env, ZENML_STORE_USERNAME: admin.username, ZENML_STORE_PASSWORD: admin.password },
    },
  );

async function runImport<R>(url: string, dataDir: string): Promise<R> {
  const child = importing(url, dataDir);
  const code = await child.ended;
  const output = child.output();
  if (code !== 0) throw new Error(`plinth import zenml ended with ${code}:\n${output}`);
  return JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1)) as R;
}
