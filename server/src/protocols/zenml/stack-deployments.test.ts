import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer } = await startZenmlTeam("team");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/stack-deployment";

describe("deployments of stacks", () => {
  it("say what they need in each cloud", async () => {
    for (const [provider, region] of [
      ["aws", "eu-central-1"],
      ["gcp", "europe-west3"],
      ["azure", "westeurope"],
    ]) {
      const { json } = await viewer.get(`${API}/info?provider=${provider}`);
      expect(json).toMatchObject({ provider });
      expect(Object.values(json.locations)).toContain(region);
      expect(json.integrations.length).toBeGreaterThan(0);
      expect(Object.keys(json.permissions).length).toBeGreaterThan(0);
      expect(json.instructions).toContain("It creates");
    }
    const gcp = (await viewer.get(`${API}/info?provider=gcp`)).json.skypilot_default_regions;
    expect(Object.values(gcp).every((region) => String(region).startsWith("us-"))).toBe(true);
    expect((await viewer.get(`${API}/info?provider=moon`)).status).toBe(422);
    expect((await viewer.get(`${API}/info`)).status).toBe(422);
  });

  it("come with a configuration that holds a token of the caller's", async () => {
    const { json } = await editor.get(
      `${API}/config?provider=aws&stack_name=my%20stack&terraform=true&location=eu-west-1`,
    );
    expect(json).toMatchObject({ deployment_url_text: "AWS CloudFormation Console", instructions: null });
    expect(json.deployment_url).toContain("region=eu-west-1#/stacks/create/review?stackName=my%20stack&");
    expect(json.configuration).toContain('zenml_stack_name       = "my stack"');
    expect(json.configuration).toContain('zenml_stack_deployment = "terraform"');
    const [, token = ""] = /api_token {2}= "([^"]+)"/.exec(json.configuration) ?? [];
    const told = await server.call("GET", "/api/v1/current-user", undefined, {
      authorization: `Bearer ${token}`,
    });
    expect(told.json.name).toBe("ed");
    const shell = (await editor.get(`${API}/config?provider=gcp&stack_name=s`)).json.configuration;
    expect(shell).toContain("\nZENML_STACK_NAME=s\nZENML_STACK_REGION=europe-west3\n");
    const azure = (await editor.get(`${API}/config?provider=azure&stack_name=%25%7Bx%7D`)).json.configuration;
    expect(azure).toContain('zenml_stack_name       = "%%{x}"');
  });

  it("are for those who may make stacks, and take no names that would be run", async () => {
    expect((await viewer.get(`${API}/config?provider=aws&stack_name=s`)).status).toBe(403);
    for (const name of ["a%0Ab", "$(id)", "%60id%60"]) {
      expect((await editor.get(`${API}/config?provider=gcp&stack_name=${name}`)).status).toBe(400);
    }
    expect((await editor.get(`${API}/config?provider=gcp`)).status).toBe(422);
  });

  it("are over when a stack with the labels of the cloud is there", async () => {
    const path = `${API}/stack?provider=aws&stack_name=s`;
    expect((await viewer.get(path)).text).toBe("null");
    const connector = "11111111-2222-4333-8444-555555555555";
    await server.database.prepared(
      {
        name: "test_insert_connector",
        text: `insert into pipelines.service_connectors (id, name, connector_type, auth_method, created, updated)
          values ($1, 'aws', 'aws', 'secret-key', 1, 1)`,
      },
      [connector],
    );
    const made = await editor.post("/api/v1/components", {
      name: "sage",
      type: "orchestrator",
      flavor: "sagemaker",
      configuration: { execution_role: "arn" },
      connector,
    });
    expect(made.status, made.text).toBe(200);
    const store = (await editor.get("/api/v1/components?type=artifact_store&name=default")).json.items[0].id;
    await editor.post("/api/v1/stacks", {
      name: "deployed",
      components: { orchestrator: [made.json.id], artifact_store: [store] },
      labels: { "zenml:provider": "aws", "zenml:deployment": "cloud-formation", odd: 1 },
    });
    await editor.post("/api/v1/stacks", {
      name: "odd",
      components: { orchestrator: [made.json.id], artifact_store: [store] },
      labels: { "zenml:provider": "aws", "zenml:deployment": "cloud-formation", odd: "\u0000" },
    });
    const { json } = await viewer.get(path);
    expect(json).toMatchObject({
      stack: { name: "deployed", metadata: { labels: { odd: 1 } } },
      service_connector: { id: connector, body: { connector_type: "aws" }, metadata: null },
    });
    expect((await viewer.get(`${path}&terraform=true`)).text).toBe("null");
    expect((await viewer.get(`${path}&date_start=2020-01-01T00:00:00.5%2B00:00`)).json.stack.name).toBe(
      "deployed",
    );
    expect((await viewer.get(`${path}&date_start=2999-01-01 00:00:00`)).text).toBe("null");
    expect((await viewer.get(`${path}&date_start=soon`)).status).toBe(422);
  });
});
