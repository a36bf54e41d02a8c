import { expect, test } from "vitest";
import { parse } from "yaml";
import { chartFile, type MadeChart, type UnpackedChart } from "./chart-values.ts";
import type { ChartFile } from "../src/schemas/charts.ts";

const VALUES = `
replicas: 2
image: { repository: example/app, tag: "" }
logging: { level: info }
nodeSelector: {}
labels: { os: linux }
ingress:
tolerations: []
redis: { enabled: true }
script: ${"x".repeat(80)}
`;

const chart: UnpackedChart = {
  about: {
    name: "app",
    version: "1.2.0",
    appVersion: "3.0",
    dependencies: [{ name: "redis", version: "1.0.0" }],
  },
  values: parse(VALUES) as unknown,
  templates: [
    "{{ .Values.replicas }} {{ .Values.ingress.host }} {{ .Values.extra.volumes }} {{ .Values.nodeSelector.zone }} {{ $.Values.logging.format }}",
  ],
  schema: {
    description: "prose",
    type: "object",
    properties: { description: { type: "string", description: "prose" } },
  },
};

const made = (before?: Partial<ChartFile>): MadeChart =>
  chartFile(chart, { repository: "ghcr.io/x/app", transport: "OCI", before });

test("every declared value becomes a node, and what templates alone read", () => {
  expect(made()).toEqual({
    chart: "app",
    version: "1.2.0",
    appVersion: "3.0",
    repository: "ghcr.io/x/app",
    transport: "OCI",
    dependencies: [{ name: "redis", version: "1.0.0" }],
    values: {
      replicas: { t: "integer", d: 2 },
      image: {
        t: "object",
        k: { repository: { t: "string", d: "example/app" }, tag: { t: "string", d: "" } },
      },
      logging: {
        t: "object",
        k: { level: { t: "string", d: "info" }, format: { t: "any", from: "template" } },
      },
      nodeSelector: { t: "object", open: true },
      labels: { t: "object", k: { os: { t: "string", d: "linux" } } },
      ingress: { t: "null", k: { host: { t: "any", from: "template" } } },
      tolerations: { t: "array" },
      redis: { t: "object", k: { enabled: { t: "boolean", d: true } }, open: true, subchart: "redis" },
      script: { t: "string" },
      extra: { t: "any", from: "template", k: { volumes: { t: "any", from: "template" } } },
      global: { t: "object", open: true },
    },
    schema: { type: "object", properties: { description: { type: "string" } } },
  });
});

test("what people found out about the chart is kept", () => {
  const { values, exclusive } = made({
    values: {
      tolerations: { t: "array", k8s: "Toleration[]" },
      labels: { t: "object", open: true },
      logging: { t: "object", k: { level: { t: "string", enum: ["info", "debug"] } } },
      hidden: { t: "any", from: "comment" },
      old: { t: "string" },
    },
    exclusive: [["a", "b"]],
  });
  expect(values["tolerations"]).toEqual({ t: "array", k8s: "Toleration[]" });
  expect(values["labels"]).toMatchObject({ open: true, k: { os: {} } });
  expect(values["logging"]?.k?.["level"]).toMatchObject({ d: "info", enum: ["info", "debug"] });
  expect(values["hidden"]).toEqual({ t: "any", from: "comment" });
  expect(values["old"]).toBeUndefined();
  expect(exclusive).toEqual([["a", "b"]]);
});
