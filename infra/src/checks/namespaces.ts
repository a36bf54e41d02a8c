import { namespaces } from "../names.ts";
import type { SpecRule } from "./check.ts";

/** Rules on the namespaces that the settings name. */

const TAKEN: ReadonlyMap<string, string> = new Map([
  ...Object.entries(namespaces).map(([part, name]): [string, string] => [
    name,
    `the platform's own (${part})`,
  ]),
  ["kube-system", "the cluster's"],
  ["kube-public", "the cluster's"],
  ["kube-node-lease", "the cluster's"],
  ["default", "everybody's"],
]);

const shared: SpecRule = {
  id: "namespaces/shared",
  severity: "error",
  covers: [],
  title: "A namespace given to two parts",
  why: "Pod security, quotas, network policies and admission at the Gateway are per namespace: two parts in one would get each other's.",
  check: ({ serving, gateway }) => {
    const models = serving.engine === "kserve" ? serving.namespace : undefined;
    const problems = [
      { path: ["gateway", "namespace"], name: gateway.namespace, instead: "gateway-system" },
      ...(models === undefined ? [] : [{ path: ["serving", "namespace"], name: models, instead: "models" }]),
    ].flatMap(({ path, name, instead }) => {
      const whose = TAKEN.get(name);
      return whose === undefined
        ? []
        : [
            {
              path,
              message: `the namespace ${name} is ${whose}`,
              remedy: `Choose another name, or leave it out: it is ${instead} then.`,
            },
          ];
    });
    if (models === gateway.namespace) {
      problems.push({
        path: ["serving", "namespace"],
        message: `models and the Gateway are both in the namespace ${models}`,
        remedy: "Choose another name for one of them, or leave both out.",
      });
    }
    return problems;
  },
};

export const namespaceRules: readonly SpecRule[] = [shared];
