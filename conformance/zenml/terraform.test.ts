// The examples of docs/guides/stacks-as-code.md, applied by Terraform to a running Plinth whose bucket is moto's: made,
// planned again for nothing, changed, replaced, extended by a team, used by both ZenML clients, found changed, destroyed.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTerraform } from "../infra/tools.ts";
import { ensureZenmlIntegrations, zenmlClients } from "../src/environment.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import { runZenmlFlow } from "./flow.ts";
import { startMoto, type Moto } from "./moto.ts";
import {
  blocksOfGuide,
  callerOf,
  foldersOfGuide,
  keyIn,
  openWorkshop,
  plinthLines,
  spoken,
  startRecorder,
  type Folder,
  type Recorder,
  type Workshop,
} from "./terraform.ts";

const bucket = "ml-bucket";
const credential = "test-secret";
const [accountLines = "", , useLine = "", secretLine = ""] = blocksOfGuide("sh");
const [ownedScript = ""] = blocksOfGuide("python");

describe.skipIf(findTerraform() === undefined)("stacks as code", () => {
  let target: Target;
  let moto: Moto;
  let workshop: Workshop;
  let recorder: Recorder;
  let platform: Folder;
  let team: Folder;
  let projects: Folder;
  const keys = { platform: "", admin: "", team: "" };
  const variables = (): NodeJS.ProcessEnv => ({
    ZENML_SERVER_URL: recorder.url,
    ZENML_API_KEY: keys.platform,
    TF_VAR_bucket: bucket,
    TF_VAR_s3: JSON.stringify({
      aws_access_key_id: "test-key",
      aws_secret_access_key: credential,
      region: "us-east-1",
      endpoint_url: moto.url,
    }),
  });
  const ofTeam = async (): Promise<NodeJS.ProcessEnv> => ({
    ...variables(),
    ZENML_API_KEY: keys.team,
    TF_VAR_team: "fraud-detection",
    TF_VAR_tracking_uri: target.url,
    TF_VAR_base_stack_id: await platform.output("base_stack_id"),
    TF_VAR_connector_id: await platform.output("connector_id"),
  });
  const asTeam = (): NodeJS.ProcessEnv => ({
    ZENML_STORE_URL: target.url,
    ZENML_STORE_API_KEY: keys.team,
    // The client 0.84.0 asks for a bucket's versioning without the address that its connector names.
    AWS_ENDPOINT_URL: moto.url,
  });
  const client = async <Seen>(
    version: (typeof zenmlClients)[number],
    env: NodeJS.ProcessEnv,
    ...args: string[]
  ) => {
    const environment = await ensureZenmlIntegrations(version);
    const flow = { version, script: "stacks_as_code", url: target.url, args, env, environment };
    return (await runZenmlFlow<{ seen: Seen }>(flow)).seen;
  };
  const asPlatform = (): NodeJS.ProcessEnv => ({ ...asTeam(), ZENML_STORE_API_KEY: keys.platform });
  const ask = (path: string) => callerOf(target.url, keys.platform)("GET", path);

  beforeAll(async () => {
    [target, moto, workshop] = await Promise.all([startGuardedPlinth(), startMoto(), openWorkshop()]);
    recorder = await startRecorder(target.url);
    const scope = "AWS4-HMAC-SHA256 Credential=test-key/20260101/us-east-1/s3/aws4_request";
    const made = await fetch(`${moto.url}/${bucket}`, { method: "PUT", headers: { authorization: scope } });
    expect(made.status).toBe(200);
    const data = target.dataDir ?? "";
    keys.platform = keyIn(await plinthLines(accountLines, data));
    keys.admin = keyIn(await plinthLines("plinth key create projects --for admin --expires 1h", data));
    [platform, team, projects] = (await Promise.all(
      ["platform", "team", "projects"].map((name) => workshop.openGuide(name)),
    )) as [Folder, Folder, Folder];
  });
  afterAll(async () => {
    await recorder?.stop();
    await moto?.stop();
    workshop?.dispose();
    if (target) expect(await target.stop()).toBe(0);
  });

  it.each(foldersOfGuide())("%s/ is formatted and valid", async (name) => {
    const folder = await workshop.openGuide(name);
    expect(await folder.run(["fmt", "-check", "-diff"])).toEqual({ code: 0, output: "" });
    const done = await folder.run(["validate"]);
    expect(done.code, done.output).toBe(0);
  });

  it("makes the base, with a connector that the server has tried; a second plan is empty", async () => {
    expect(await platform.apply(variables())).toBe("5 added, 0 changed, 0 destroyed");
    const sent = recorder.take().map(({ method, path }) => `${method} ${path}`);
    const verified = sent.indexOf("POST /api/v1/service_connectors/verify");
    expect(verified).toBeGreaterThan(0);
    expect(sent.indexOf("POST /api/v1/service_connectors")).toBeGreaterThan(verified);
    expect(await platform.plan(variables())).toBe(0);
    expect(await platform.output("server")).toMatch(/^0\.\d+\.\d+$/);
  });

  it("changes in place what can be", async () => {
    const before = await platform.output("base_stack_id");
    const other = { ...variables(), TF_VAR_environment: "test" };
    expect(await platform.apply(other)).toBe("0 added, 4 changed, 0 destroyed");
    expect(await platform.plan(other)).toBe(0);
    expect(await platform.output("base_stack_id")).toBe(before);
    const { json } = await ask(`/stacks/${before}`);
    expect([json.name, json.metadata.labels.environment]).toEqual(["test-base-v1.0.0", "test"]);
    expect(await platform.apply(variables())).toBe("0 added, 4 changed, 0 destroyed");
  });

  it("replaces a stack by its next version, and there is one at every moment", async () => {
    const before = await platform.output("base_stack_id");
    recorder.take();
    expect(await platform.apply({ ...variables(), TF_VAR_stack_version: "1.1.0" })).toBe(
      "2 added, 1 changed, 2 destroyed",
    );
    const stacks = recorder.take().filter(({ method, path }) => method !== "GET" && path.includes("/stacks"));
    expect(stacks.map(({ method, path, status }) => [method, path, status])).toEqual([
      ["POST", "/api/v1/stacks", 200],
      ["DELETE", `/api/v1/stacks/${before}`, 200],
    ]);
    expect((await ask(`/stacks/${before}`)).status).toBe(404);
    expect(await platform.plan({ ...variables(), TF_VAR_stack_version: "1.1.0" })).toBe(0);
  });

  it("makes a team's project with an administrator's key, and with no other", async () => {
    const refused = await projects.run(["apply", "-auto-approve"], variables());
    expect(refused.code).toBe(1);
    expect(spoken(refused)).toContain(
      "Unable to create project, got error: API request failed with status 403",
    );
    const env = { ...variables(), ZENML_API_KEY: keys.admin };
    expect(await projects.apply(env)).toBe("1 added, 0 changed, 0 destroyed");
    expect(await projects.plan(env)).toBe(0);
  });

  it("extends the base for a team, whose account may change nothing of the platform's", async () => {
    const account = [
      "plinth service-account create fraud-training",
      "plinth role assign fraud-training editor --workspace fraud-detection",
      "plinth key create training --for fraud-training",
    ];
    keys.team = keyIn(await plinthLines(account.join("\n"), target.dataDir ?? ""));
    const env = await ofTeam();
    expect(await team.apply(env)).toBe("3 added, 0 changed, 0 destroyed");
    expect(await team.plan(env)).toBe(0);
    expect(team.state()).not.toContain(credential);
    const refused = await platform.run(["apply", "-auto-approve"], {
      ...env,
      TF_VAR_stack_version: "1.1.0",
      TF_VAR_environment: "mine",
    });
    expect(refused.code).toBe(1);
    expect(spoken(refused)).toContain(
      "Only who made this, editors of the project 'default' and administrators change or delete it.",
    );
    expect(await platform.plan({ ...variables(), TF_VAR_stack_version: "1.1.0" })).toBe(0);
  });

  it("needs no secret in the team's state", async () => {
    const [, command = ""] = /^zenml (.*)$/m.exec(secretLine.replace("$(cat key)", keys.team)) ?? [];
    const words = [...command.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ""));
    expect(words.slice(0, 3)).toEqual(["secret", "create", "fraud-detection-mlflow"]);
    await client("0.98.0", asTeam(), "secret", JSON.stringify(words));
    const { json } = await callerOf(target.url, keys.team)("GET", "/secrets?name=fraud-detection-mlflow");
    expect(json.total).toBe(1);
    expect(team.state()).toContain("{{fraud-detection-mlflow.password}}");
    expect(team.state()).not.toContain(keys.team);
  });

  it.each(zenmlClients)("zenml %s uses the team's stack", async (version) => {
    const command = useLine.trim().split(" ").slice(1);
    expect(command).toEqual(["stack", "set", "fraud-detection-dev-v1.0.0"]);
    expect(await client(version, asTeam(), "use", "fraud-detection", ...command)).toEqual({
      stack: "fraud-detection-dev-v1.0.0",
      components: {
        orchestrator: ["dev-orchestrator-v1.1.0"],
        artifact_store: ["fraud-detection-dev-artifacts"],
        experiment_tracker: ["fraud-detection-dev-mlflow"],
      },
      labels: { managed_by: "terraform", owner: "fraud-detection", environment: "dev", version: "1.0.0" },
      status: "completed",
      on: "fraud-detection-dev-v1.0.0",
      uri: expect.stringMatching(new RegExp(`^s3://${bucket}/projects/fraud-detection/dev/`)),
      value: 2,
    });
  });

  it("keeps an orchestrator that a team's stack still has, until the team has moved", async () => {
    const next = { ...variables(), TF_VAR_stack_version: "1.2.0" };
    const refused = await platform.run(["apply", "-auto-approve"], next);
    expect(refused.code).toBe(1);
    expect(spoken(refused)).toContain(
      "Unable to delete stack component, got error: API request failed with status 403",
    );
    expect(spoken(refused)).toContain("dev-orchestrator-v1.1.0");
    const env = { ...(await ofTeam()), TF_VAR_stack_version: "2.0.0" };
    expect(await team.apply(env)).toBe("1 added, 0 changed, 1 destroyed");
    expect(await team.plan(env)).toBe(0);
    expect(await platform.apply(next)).toBe("0 added, 0 changed, 1 destroyed");
    expect(await platform.plan(next)).toBe(0);
  });

  it("finds what was changed by hand, and puts it right", async () => {
    const env = { ...(await ofTeam()), TF_VAR_stack_version: "2.0.0" };
    const names = ["fraud-detection-dev-v2.0.0", "fraud-detection-dev-artifacts"];
    await client("0.98.0", asPlatform(), "drift", ...names);
    expect(await team.plan(env)).toBe(2);
    expect(await team.apply(env)).toBe("0 added, 2 changed, 0 destroyed");
    expect(await team.plan(env)).toBe(0);
    const { json } = await ask(`/stacks/${await team.output("stack_id")}`);
    expect([json.name, json.metadata.labels.owner]).toEqual([names[0], "fraud-detection"]);
    expect(json.metadata.components.artifact_store[0].name).toBe(names[1]);

    expect(await client("0.84.0", asPlatform(), "delete", names[0] ?? "")).toEqual([]);
    expect(await team.plan(env)).toBe(2);
    expect(await team.apply(env)).toBe("1 added, 0 changed, 0 destroyed");
    expect(await team.plan(env)).toBe(0);

    // As the guide says: a key that was taken out is told of, and nothing is planned.
    expect(await client("0.98.0", asPlatform(), "forget", "fraud-detection-dev-mlflow")).not.toContain(
      "experiment_name",
    );
    const unseen = await team.run(["plan", "-detailed-exitcode"], env);
    expect(unseen.code, unseen.output).toBe(0);
    expect(spoken(unseen)).toContain("Configuration attributes ignored by ZenML server");
  });

  it("leaves nothing of a team behind", async () => {
    const env = { ...(await ofTeam()), TF_VAR_stack_version: "2.0.0" };
    const owned = () => client("0.98.0", asPlatform(), "owned", ownedScript, "fraud-detection");
    expect(await owned()).toEqual([
      "Stack fraud-detection-dev-v2.0.0",
      "Component fraud-detection-dev-artifacts",
      "Component fraud-detection-dev-mlflow",
    ]);
    const stack = await team.output("stack_id");
    expect(await team.apply(env, "-destroy")).toBe("0 added, 0 changed, 3 destroyed");
    expect(await owned()).toEqual([]);
    expect((await ask(`/stacks/${stack}`)).status).toBe(404);
  });

  it("takes everything away again", async () => {
    const ids = await Promise.all(["base_stack_id", "connector_id"].map((name) => platform.output(name)));
    expect(await platform.apply({ ...variables(), TF_VAR_stack_version: "1.2.0" }, "-destroy")).toBe(
      "0 added, 0 changed, 5 destroyed",
    );
    const kinds = ["stacks", "service_connectors"];
    const answers = await Promise.all(ids.map((id, index) => ask(`/${kinds[index]}/${id}`)));
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    const env = { ...variables(), ZENML_API_KEY: keys.admin };
    expect(await projects.apply(env, "-destroy")).toBe("0 added, 0 changed, 1 destroyed");
    expect((await ask("/projects/fraud-detection")).status).toBe(404);
    for (const kind of ["stacks", "components"]) {
      const { json } = await ask(`/${kind}?size=100`);
      expect(json.items.filter(({ name }: { name: string }) => name !== "default")).toEqual([]);
    }
  });
});
