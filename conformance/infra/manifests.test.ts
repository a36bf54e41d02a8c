// The Kubernetes manifests of whole outputs, before a real API server: strict, in the order of their waves, twice.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ApiServer, type KubernetesObject } from "./api-server.ts";
import { readApplications, type Application } from "./applications.ts";
import { kindsIn, readOutputs, type Output } from "./outputs.ts";

const outputs = readOutputs();
let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start(kindsIn(outputs));
});
afterAll(() => server?.stop());

describe.each(outputs)("$name", (output: Output) => {
  let applications: Application[] = [];
  const objects = (): KubernetesObject[] => applications.flatMap((application) => application.objects);

  test("every kustomization builds", () => {
    const failed = output.kustomizations.flatMap((folder) => {
      const { code, stderr } = server.kubectl(["kustomize", join(output.folder, folder)]);
      return code === 0 && stderr === "" ? [] : [`${folder}: ${stderr}`];
    });
    expect(failed).toEqual([]);
  });

  test("every Application finds its folder", () => {
    applications = readApplications(server, output);
    expect(applications.flatMap(({ name, missing }) => missing.map((path) => `${name}: ${path}`))).toEqual(
      [],
    );
    expect(objects().length).toBeGreaterThan(10);
  });

  test("is applied in the order of its sync waves", () => {
    const refused: string[] = [];
    for (const application of applications) {
      refused.push(...applyOne(application));
    }
    expect(refused).toEqual([]);
  });

  test("a second apply changes nothing", () => {
    const before = server.read(objects());
    for (const application of applications) applyOne(application);
    const after = server.read(objects());
    expect(after.length).toBe(objects().length);
    expect(versions(after)).toEqual(versions(before));
  });
});

function applyOne(application: Application): string[] {
  const { name, namespace, createsNamespace, namespaceLabels, objects } = application;
  const refused: string[] = [];
  const apply = (some: readonly KubernetesObject[]): void => {
    const answer = some.length === 0 ? { code: 0, stderr: "" } : server.apply(some);
    if (answer.code !== 0)
      refused.push(
        ...answer.stderr
          .trim()
          .split("\n")
          .map((line) => `${name}: ${line}`),
      );
  };
  if (createsNamespace && server.kubectl(["get", "namespace", namespace]).code !== 0) {
    apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: namespaceLabels } }]);
  }
  apply(objects);
  return refused;
}

const versions = (objects: readonly KubernetesObject[]): object[] =>
  objects.map(({ kind, metadata: { name, namespace, resourceVersion, generation } }) => ({
    object: `${kind} ${namespace ?? ""}/${name}`,
    resourceVersion,
    generation,
  }));
