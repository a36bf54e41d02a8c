// What Terraform is refused, in words that people can use; the other roots of docs/guides/stacks-as-code.md; and who is shown
// which secret.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTerraform } from "../infra/tools.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import { runZenmlFlow } from "./flow.ts";
import {
  callerOf,
  filesOfGuide,
  keyIn,
  openWorkshop,
  plinthLines,
  spoken,
  startRecorder,
  type Done,
  type Folder,
  type Recorder,
  type Workshop,
} from "./terraform.ts";

const providers = filesOfGuide("platform")["providers.tf"] ?? "";
const account = JSON.stringify({
  type: "external_account",
  audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/oidc",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: "https://sts.googleapis.com/v1/token",
  credential_source: { file: "/var/run/secrets/token" },
});

describe.skipIf(findTerraform() === undefined)("with Terraform", () => {
  let target: Target;
  let workshop: Workshop;
  let recorder: Recorder;
  const keys = { terraform: "", viewer: "" };
  const env = (): NodeJS.ProcessEnv => ({ ZENML_SERVER_URL: recorder.url, ZENML_API_KEY: keys.terraform });
  const call = (...args: [string, string, unknown?]) => callerOf(target.url, keys.terraform)(...args);

  beforeAll(async () => {
    [target, workshop] = await Promise.all([startGuardedPlinth(), openWorkshop()]);
    recorder = await startRecorder(target.url);
    const made = async (name: string, role: string): Promise<string> =>
      keyIn(
        await plinthLines(
          `plinth service-account create ${name}\nplinth role assign ${name} ${role}\nplinth key create ${name} --for ${name}`,
          target.dataDir ?? "",
        ),
      );
    keys.terraform = await made("terraform", "editor");
    keys.viewer = await made("looker", "viewer");
  });
  afterAll(async () => {
    await recorder?.stop();
    workshop?.dispose();
    if (target) expect(await target.stop()).toBe(0);
  });

  let count = 0;
  const written = (text: string): Promise<Folder> =>
    workshop.open(`refused-${++count}`, { "providers.tf": providers, "main.tf": text });
  const applied = async (text: string, more: NodeJS.ProcessEnv = {}): Promise<Done> =>
    (await written(text)).run(["apply", "-auto-approve", "-input=false"], { ...env(), ...more });

  const component = (name: string, type = "orchestrator", more = "") =>
    `resource "zenml_stack_component" "${name}" {\n  name = "${name}"\n  type = "${type}"\n  flavor = "local"\n${more}}\n`;
  const connector = (method: string, more = "") => `
resource "zenml_service_connector" "one" {
  name          = "one"
  type          = "gcp"
  auth_method   = "${method}"
  resource_type = "gcs-bucket"
  configuration = { project_id = "p" }
${more}}
`;

  describe("a refusal is told in the server's words", () => {
    it("of a key that nobody has", async () => {
      const done = await applied(component("nobody"), { ZENML_API_KEY: "plinth_00_00" });
      expect(done.code).toBe(1);
      expect(spoken(done)).toContain("Unable to Connect to ZenML Server");
      expect(spoken(done)).toContain("login request returned status 401");
    });

    it("of a viewer's key", async () => {
      const done = await applied(component("viewers"), { ZENML_API_KEY: keys.viewer });
      expect(done.code).toBe(1);
      expect(spoken(done)).toMatch(/Unable to create stack component, .* 403: .*IllegalOperationError/);
      expect((await call("GET", "/components?name=viewers")).json.total).toBe(0);
    });

    it("of an auth method that there is none of, by the provider and by the server", async () => {
      const folder = await written(connector("workload-identity"));
      const done = await folder.run(["validate"]);
      expect(done.code).toBe(1);
      expect(spoken(done)).toContain(
        'Invalid auth_method "workload-identity" for connector type "gcp". Valid methods are: implicit, user-account, service-account, external-account, oauth2-token, impersonation',
      );
      const { status, json } = await call("POST", "/service_connectors", {
        name: "one",
        connector_type: "gcp",
        auth_method: "workload-identity",
        resource_types: ["gcs-bucket"],
        configuration: { project_id: "p" },
      });
      expect(status).toBe(400);
      expect(json.detail[1]).toContain("workload-identity");
      for (const method of ["external-account", "impersonation", "service-account"])
        expect(json.detail[1]).toContain(method);
    });

    it("of a connector that cannot work, at once", async () => {
      const done = await applied(connector("external-account"));
      expect(done.code).toBe(1);
      expect(spoken(done)).toContain("Verification Error");
      expect(spoken(done)).toContain("external_account_json");
    });

    it("of a connector that does not work, after it was tried for its time", async () => {
      recorder.take();
      const done = await applied(`
resource "zenml_service_connector" "registry" {
  name          = "registry"
  type          = "docker"
  auth_method   = "password"
  resource_type = "docker-registry"
  resource_id   = "127.0.0.1:9"
  configuration = { username = "me", password = "of-mine", registry = "127.0.0.1:9" }
  timeouts      = { create = "2s" }
}
`);
      expect(done.code).toBe(1);
      expect(spoken(done)).toContain("Error verifying service connector configuration");
      // The provider shows it in the plan, as the guide says; the refusal has no part of it.
      expect(done.output.slice(done.output.indexOf("Verification Error"))).not.toContain("of-mine");
      const sent = recorder.take().filter(({ path }) => path.startsWith("/api/v1/service_connectors"));
      expect(sent.length).toBeGreaterThan(1);
      expect(new Set(sent.map(({ path }) => path))).toEqual(new Set(["/api/v1/service_connectors/verify"]));
    });

    it("of a component of the wrong type in a stack, and of a stack without an orchestrator", async () => {
      const store = component("store", "artifact_store");
      const stack = (components: string) =>
        `resource "zenml_stack" "wrong" {\n  name = "wrong"\n  components = { ${components} }\n}\n`;
      const id = "zenml_stack_component.store.id";
      const wrong = await applied(`${store}${stack(`artifact_store = ${id}, orchestrator = ${id}`)}`);
      expect(wrong.code).toBe(1);
      expect(spoken(wrong)).toMatch(
        /Unable to create stack, got error: API request failed with status 4\d\d/,
      );
      const { items } = (await call("GET", "/components?name=store")).json;
      const less = await applied(stack(`artifact_store = "${items[0].id}"`));
      expect(less.code).toBe(1);
      expect(spoken(less)).toMatch(/status 422: .*orchestrator/);
      expect((await call("GET", "/stacks?name=wrong")).json.total).toBe(0);
    });

    it("of a name that is taken", async () => {
      expect((await applied(component("taken"))).code).toBe(0);
      const done = await applied(component("taken"));
      expect(done.code).toBe(1);
      expect(spoken(done)).toMatch(/Unable to create stack component, .* 409: .*EntityExistsError.*taken/);
    });

    it("of a component that a stack of somebody else's still has", async () => {
      const folder = await written(component("used"));
      expect((await folder.run(["apply", "-auto-approve"], env())).code).toBe(0);
      const [used, stores] = await Promise.all([
        call("GET", "/components?name=used"),
        call("GET", "/components?type=artifact_store&name=default"),
      ]);
      const components = { orchestrator: [used.json.items[0].id], artifact_store: [stores.json.items[0].id] };
      const stack = await call("POST", "/stacks", { name: "of-somebody", components });
      expect(stack.status).toBe(200);
      const done = await folder.run(["destroy", "-auto-approve"], env());
      expect(done.code).toBe(1);
      expect(spoken(done)).toContain(
        "Unable to delete stack component, got error: API request failed with status 403",
      );
      expect((await call("GET", `/components/${used.json.items[0].id}`)).status).toBe(200);
      expect((await call("DELETE", `/stacks/${stack.json.id}`)).status).toBe(200);
      expect((await folder.run(["destroy", "-auto-approve"], env())).code).toBe(0);
    });

    it("of a component that another takes the place of under its name", async () => {
      const lifecycle = "  lifecycle {\n    create_before_destroy = true\n  }\n";
      const folder = await written(component("same", "orchestrator", lifecycle));
      expect((await folder.run(["apply", "-auto-approve"], env())).code).toBe(0);
      const done = await folder.run(["apply", "-auto-approve", "-replace=zenml_stack_component.same"], env());
      expect(done.code).toBe(1);
      expect(spoken(done)).toMatch(/status 409/);
    });
  });

  it("keeps a secret from viewers and from plans; values that are taken out are gone", async () => {
    const folder = await workshop.openGuide("secrets");
    const hidden = "https://hooks.example.com/of-alerts";
    const variables = { ...env(), TF_VAR_webhook: hidden };
    const done = await folder.run(["apply", "-auto-approve"], variables);
    expect(done.code, done.output).toBe(0);
    expect(done.output).not.toContain(hidden);
    expect(await folder.plan(variables)).toBe(0);
    // As the guide says of the state.
    expect(folder.state()).toContain(hidden);
    const { id } = (await call("GET", "/secrets?name=alerts")).json.items[0];
    const shown = await callerOf(target.url, keys.viewer)("GET", `/secrets/${id}`);
    expect(JSON.stringify(shown.json)).not.toContain(hidden);
    expect(await folder.apply({ ...variables, TF_VAR_webhook: "https://hooks.example.com/new" })).toBe(
      "0 added, 1 changed, 0 destroyed",
    );
    expect((await call("GET", `/secrets/${id}`)).json.body.values).toEqual({
      webhook: "https://hooks.example.com/new",
    });
    expect(await folder.apply(variables, "-destroy")).toBe("0 added, 0 changed, 1 destroyed");
    expect((await call("GET", `/secrets/${id}`)).status).toBe(404);
  });

  it("connects to Google Cloud by an external account; viewers see no part of it that is secret", async () => {
    const folder = await workshop.openGuide("gcp");
    const variables = { ...env(), TF_VAR_project_id: "ml-prod", TF_VAR_credentials: account };
    expect(await folder.apply(variables)).toBe("1 added, 0 changed, 0 destroyed");
    expect(await folder.plan(variables)).toBe(0);
    const [one] = (await call("GET", "/service_connectors?name=gcp-prod&hydrate=true")).json.items;
    expect(one.metadata.configuration.external_account_json).toBe(account);
    const shown = await callerOf(target.url, keys.viewer)("GET", `/service_connectors/${one.id}`);
    expect(shown.status).toBe(200);
    expect(JSON.stringify(shown.json)).not.toContain("sts.googleapis.com/v1");
    expect(await folder.apply(variables, "-destroy")).toBe("0 added, 0 changed, 1 destroyed");
  });

  it("takes over what was made by hand with ZenML's client", async () => {
    const by = { ZENML_STORE_URL: target.url, ZENML_STORE_API_KEY: keys.terraform };
    const flow = {
      version: "0.98.0",
      script: "stacks_as_code",
      url: target.url,
      args: ["by_hand"],
      env: by,
    } as const;
    const { seen } = await runZenmlFlow<{ seen: Record<string, string> }>(flow);
    const folder = await workshop.openGuide("import");
    const ids = Object.entries(seen).map(([name, id]) => [`TF_VAR_${name}`, id]);
    const variables = { ...env(), ...Object.fromEntries(ids) };
    const planned = await folder.run(["plan"], variables);
    expect(planned.output).toContain("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy.");
    expect((await folder.run(["apply", "-auto-approve"], variables)).output).toContain(
      "Apply complete! Resources: 2 imported, 0 added, 0 changed, 0 destroyed.",
    );
    expect(await folder.plan(variables)).toBe(0);
    expect(await folder.apply(variables, "-destroy")).toBe("0 added, 0 changed, 2 destroyed");
    expect((await call("GET", `/stacks/${seen["stack_id"]}`)).status).toBe(404);
  });

  describe("restapi", () => {
    const variables = (): NodeJS.ProcessEnv => ({
      TF_VAR_server_url: recorder.url,
      TF_VAR_api_key: keys.terraform,
      TF_VAR_bucket: "ml-bucket",
    });

    it("makes a stack, plans nothing more, and makes its next version before it takes it away", async () => {
      const folder = await workshop.openGuide("rest");
      recorder.take();
      expect(await folder.apply(variables())).toBe("4 added, 0 changed, 0 destroyed");
      const sent = recorder.take();
      expect(sent[0]).toMatchObject({ method: "GET", path: "/api/v1/current-user", status: 200 });
      expect(await folder.plan(variables())).toBe(0);
      expect(folder.state()).not.toContain(keys.terraform);
      recorder.take();
      const next = { ...variables(), TF_VAR_stack_version: "2.0.0" };
      expect(await folder.apply(next)).toBe("3 added, 1 changed, 3 destroyed");
      const changes = recorder
        .take()
        .filter(({ method, path }) => method !== "GET" && path.includes("/stacks"));
      expect(changes.map(({ method, status }) => [method, status])).toEqual([
        ["POST", 200],
        ["DELETE", 200],
      ]);
      expect(await folder.plan(next)).toBe(0);
      const { items } = (await call("GET", "/stacks?name=rest-base-v2.0.0&hydrate=true")).json;
      expect([items[0].metadata.description, items[0].metadata.labels]).toEqual([
        "Base infrastructure",
        { managed_by: "terraform" },
      ]);
      expect(await folder.apply(next, "-destroy")).toBe("0 added, 0 changed, 4 destroyed");
      expect((await call("GET", `/stacks/${items[0].id}`)).status).toBe(404);
    });

    it("finds a change in every plan where the server's changes are not ignored, and PUT takes what POST took", async () => {
      const [name = "", text = ""] = Object.entries(filesOfGuide("rest"))[0] ?? [];
      const folder = await workshop.open("rest-drift", {
        [name]: text.replaceAll(/^\s*ignore_all_server_changes.*\n/gm, ""),
      });
      expect(await folder.apply(variables())).toBe("4 added, 0 changed, 0 destroyed");
      expect(await folder.plan(variables())).toBe(2);
      expect(await folder.apply(variables())).toBe("0 added, 3 changed, 0 destroyed");
      expect(await folder.plan(variables())).toBe(2);
      const imported = (await call("GET", "/stacks?name=rest-base-v1.0.0")).json.items[0].id;
      expect((await folder.run(["state", "rm", "restapi_object.stack"])).code).toBe(0);
      const done = await folder.run(
        ["import", "restapi_object.stack", `/api/v1/stacks/${imported}`],
        variables(),
      );
      expect(done.code, done.output).toBe(0);
      expect(await folder.apply(variables(), "-destroy")).toBe("0 added, 0 changed, 4 destroyed");
    });

    it("is refused what older examples send", async () => {
      const older = await workshop.open("rest-older", {
        "main.tf": (filesOfGuide("rest")["main.tf"] ?? "").replace(
          /components {2}= .*/,
          'components = { artifact_store = { flavor = "gcp" } }',
        ),
      });
      const done = await older.run(["apply", "-auto-approve"], variables());
      expect(done.code).toBe(1);
      expect(spoken(done)).toContain("Could not create API object: unexpected response code '422'");
      const vertex = await call("POST", "/components", {
        name: "vertex",
        type: "orchestrator",
        flavor: "vertex",
        configuration: { location: "europe-west1", machine_type: "n1-standard-8", gpu_enabled: "true" },
      });
      expect([vertex.status, vertex.json.detail[1]]).toEqual([
        400,
        "Invalid configuration keys ['machine_type', 'gpu_enabled'] for vertex orchestrator.",
      ]);
      const body = { name: "x", type: "gcp", auth_method: "external-account" };
      expect((await call("POST", "/service-connectors", body)).status).toBe(404);
      expect((await call("POST", "/service_connectors", body)).status).toBe(422);
    });
  });
});
