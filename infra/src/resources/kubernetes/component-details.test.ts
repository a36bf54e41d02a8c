import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { merge, valueAt, type JsonObject } from "../../spec/merge.ts";
import type { KubernetesObject } from "../resource.ts";
import { built, containerOf, patchesOf } from "./sample-platforms.ts";

test("Plinth is started with settings that it has", () => {
  const guide = readFileSync(new URL("../../../../docs/guides/configuration.md", import.meta.url), "utf8");
  const known = new Set(guide.match(/PLINTH_[A-Z0-9_]+/g));
  for (const platform of ["civo, small", "civo, production", "google, plinth", "any cluster, KubeBlocks"]) {
    const { resources, objects } = built(platform);
    const server = objects.find(({ kind }) => kind === "Deployment");
    if (server === undefined) throw new Error("there is no server");
    const names = (containerOf(resources, server).env ?? []).map(({ name }) => name);
    expect(names).toContain("PLINTH_DATABASE_URL");
    for (const name of names.filter((one) => one.startsWith("PLINTH_"))) expect(known).toContain(name);
    expect(new Set(names).size).toBe(names.length);
  }
});

test("backups have six fields in CloudNativePG, five in KubeBlocks, and go to the other region", () => {
  const civo = built("civo, production").objects;
  expect(civo.find(({ kind }) => kind === "ScheduledBackup")).toMatchObject({
    spec: { schedule: "0 0 2 * * *" },
  });
  expect(civo.find(({ kind }) => kind === "ObjectStore")).toMatchObject({
    spec: { configuration: { endpointURL: "https://objectstore.fra1.civo.com" } },
  });
  const operations = patchesOf(built("any cluster, KubeBlocks").resources).flatMap(
    (patch) => patch.operations,
  );
  expect(operations.find(({ path }) => path === "/spec/backup")).toMatchObject({
    value: { cronExpression: "0 2 * * *", repoName: "tracking-pg" },
  });
  expect(built("civo, small").objects.map(({ kind }) => kind)).not.toContain("ObjectStore");
});

test("a server of PostgreSQL has room for all connections, and shares of its memory", () => {
  const patch = patchesOf(built("civo, production").resources).find(
    ({ target }) => target["name"] === "tracking-pg",
  );
  expect(patch?.change).toMatchObject({
    spec: {
      instances: 3,
      enablePDB: true,
      // 12 copies and one more while rolling out, 10 connections each, 20 of others.
      postgresql: {
        parameters: { max_connections: "150", shared_buffers: "1024MB", effective_cache_size: "3072MB" },
        synchronous: { number: 1 },
      },
    },
  });
  const small = patchesOf(built("civo, small").resources).find(
    ({ target }) => target["name"] === "tracking-pg",
  );
  expect(small?.change).toMatchObject({ spec: { instances: 1, enablePDB: false } });
  expect(valueAt(small?.change, ["spec", "postgresql"])).toBeUndefined();
});

test("MLflow migrates before it starts, proxies artifacts, and is known by its names", () => {
  const { resources, objects } = built("google, upstream");
  const [job, server] = [
    objects.find(({ kind }) => kind === "Job"),
    objects.find(({ kind }) => kind === "Deployment"),
  ];
  if (job === undefined || server === undefined) throw new Error("there is no server");
  const wave = (object: KubernetesObject): number =>
    Number(object.metadata.annotations?.["argocd.argoproj.io/sync-wave"]);
  expect(wave(job)).toBeLessThan(wave(server));
  const value = (of: KubernetesObject, name: string): unknown =>
    (containerOf(resources, of).env ?? []).find((variable) => variable.name === name);
  expect(value(job, "MLFLOW_BACKEND_STORE_URI")).toEqual(value(server, "MLFLOW_BACKEND_STORE_URI"));
  expect(value(job, "MLFLOW_MYSQL_SSL_CA")).toEqual(value(server, "MLFLOW_MYSQL_SSL_CA"));
  expect(value(server, "MLFLOW_ARTIFACTS_DESTINATION")).toMatchObject({
    value: expect.stringMatching(/^gs:\/\//),
  });
  const hosts = (value(server, "MLFLOW_SERVER_ALLOWED_HOSTS") as { value: string }).value.split(",");
  expect(hosts).toEqual(expect.arrayContaining(["mlflow:5000", "mlflow.tracking.svc:5000", "*.[0-9]:5000"]));
  // A pattern for addresses must not let names in.
  for (const pattern of hosts.filter((host) => host.startsWith("*")))
    expect(pattern).toMatch(/^\*(\.(\[0-9\])+):5000$/);
});

test("each client of MinIO may use its own bucket, and models are only read", () => {
  const { objects } = built("any cluster, MinIO");
  const scripts = objects.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "minio-buckets",
  );
  const data = scripts?.["data"] as Record<string, string>;
  expect(Object.keys(data)).toEqual(["buckets.sh", "tracking.json", "models.json", "backups.json"]);
  const buckets = { tracking: "artifacts", models: "models", backups: "backups" };
  for (const [user, bucket] of Object.entries(buckets)) {
    const policy = JSON.parse(data[`${user}.json`] ?? "") as {
      Statement: { Action: string[]; Resource: string[] }[];
    };
    for (const { Resource: resources } of policy.Statement) {
      for (const one of resources) expect(one).toMatch(new RegExp(`^arn:aws:s3:::${bucket}(/\\*)?$`));
    }
    const actions = policy.Statement.flatMap(({ Action: list }) => list);
    expect(actions.includes("s3:PutObject")).toBe(user !== "models");
    expect(actions.join()).not.toMatch(/\*/);
    expect(data["buckets.sh"]).toContain(`account ${user} "$${user.toUpperCase()}_ACCESS_KEY_ID"`);
  }
});

test("models ask for accelerators where they are, and for a CPU limit that the request fits under", () => {
  const vision = (platform: string): unknown =>
    built(platform).objects.find(
      ({ kind, metadata }) => kind === "InferenceService" && metadata.name === "vision",
    );
  expect(vision("civo, production")).toMatchObject({
    metadata: { annotations: { "serving.kserve.io/deploymentMode": "Standard" } },
    spec: {
      predictor: {
        nodeSelector: { "plinth/gpu-pool": "a100" },
        tolerations: [{ key: "nvidia.com/gpu" }],
        model: {
          storageUri: "s3://acme-prod-models/vision/v1",
          resources: {
            requests: { cpu: "1", "nvidia.com/gpu": "1" },
            limits: { cpu: "1", "nvidia.com/gpu": "1" },
          },
        },
      },
    },
  });
  expect(vision("google, upstream")).toMatchObject({
    spec: { predictor: { nodeSelector: { "cloud.google.com/gke-accelerator": "nvidia-l4" } } },
  });
});

test("ZenML's keys come from Secrets, also where a list replaces the base's", () => {
  const { resources, plan } = built("civo, production");
  const values = resources.flatMap((resource) =>
    resource.kind === "document" && resource.file.endsWith("/values.yaml")
      ? [resource.value as JsonObject]
      : [],
  );
  const merged = values.reduce(merge, {});
  const references = valueAt(merged, ["server", "environmentSecretKeyRefs"]) as {
    name: string;
    secretName: string;
    secretKey: string;
  }[];
  expect(references.map(({ name }) => name)).toEqual([
    "ZENML_SERVER_JWT_SECRET_KEY",
    "ZENML_SECRETS_STORE_ENCRYPTION_KEY",
    "ZENML_DEFAULT_USER_PASSWORD",
  ]);
  for (const { secretName, secretKey } of references) {
    const secret = plan.secrets.find(({ name, namespace }) => name === secretName && namespace === "zenml");
    expect(Object.keys(secret?.data ?? {})).toContain(secretKey);
  }
  expect(valueAt(merged, ["server", "database", "url"])).toMatch(/^mysql:\/\/[a-z]+@[a-z.-]+:3306\/zenml$/);
  expect(valueAt(merged, ["server", "ingress", "enabled"])).toBe(false);
});
