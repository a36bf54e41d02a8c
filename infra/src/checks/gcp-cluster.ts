import type { SpecProblem, SpecRule } from "./check.ts";
import { onGoogle } from "./gcp-target.ts";

/** Rules over GKE: its mode, its nodes, its accelerators. */

const cluster = ["target", "cluster"] as const;

const autopilotNodePools: SpecRule = {
  id: "gcp/autopilot-node-pools",
  severity: "error",
  covers: ["E41", "E42"],
  title: "Autopilot with node pools",
  why: "GKE Autopilot makes its own nodes: the API refuses node pools, and the provider refuses the arguments.",
  check: onGoogle(({ target }) => {
    const { mode, nodePools } = target.cluster;
    if (mode !== "autopilot" || nodePools.length === 0) return [];
    return [
      {
        path: [...cluster, "nodePools"],
        message: `Autopilot cannot have node pools (${nodePools.map(({ name }) => name).join(", ")}): it makes nodes by what the pods ask for`,
        remedy: 'Remove target.cluster.nodePools, or set target.cluster.mode: "standard".',
      },
    ];
  }),
};

const standardWithoutNodes: SpecRule = {
  id: "gcp/standard-without-nodes",
  severity: "error",
  covers: ["E41"],
  title: "Standard mode without a node pool",
  why: "The default pool is removed, so a cluster without pools has nowhere to run a pod. Terraform accepts it.",
  check: onGoogle(({ target }) => {
    const { mode, nodePools, gpuPools } = target.cluster;
    if (mode !== "standard" || nodePools.length > 0) return [];
    return [
      {
        path: [...cluster, "nodePools"],
        message:
          gpuPools.length > 0
            ? "a cluster in Standard mode has pools with accelerators only, which other pods may not use"
            : "a cluster in Standard mode has no node pool: no pod could run",
        remedy: 'Give it one: nodePools: [{ name: "general" }], or set target.cluster.mode: "autopilot".',
      },
    ];
  }),
};

const MAX_POOL_NAME = 40;

const nodePoolShape: SpecRule = {
  id: "gcp/node-pool-shape",
  severity: "error",
  covers: [],
  title: "A node pool that GKE would refuse",
  why: "Names are unique within a cluster and have at most 40 characters; the least number of nodes is not above the most.",
  check: onGoogle(({ target }) => {
    const { nodePools, gpuPools } = target.cluster;
    const problems: SpecProblem[] = [];
    const seen = new Set<string>();
    for (const [kind, pools] of [
      ["nodePools", nodePools],
      ["gpuPools", gpuPools],
    ] as const) {
      pools.forEach(({ name }, at) => {
        const path = [...cluster, kind, at, "name"];
        if (seen.has(name)) {
          problems.push({
            path,
            message: `two pools are called ${name}`,
            remedy: "Give each its own name, or make one pool of them.",
          });
        }
        if (name.length > MAX_POOL_NAME) {
          problems.push({
            path,
            message: `the name of the pool ${name} has ${name.length} characters, and GKE takes ${MAX_POOL_NAME}`,
            remedy: "Shorten the name, or use one that says the machine alone.",
          });
        }
        seen.add(name);
      });
    }
    nodePools.forEach(({ name, minNodes, maxNodes }, at) => {
      if (minNodes <= maxNodes) return;
      problems.push({
        path: [...cluster, "nodePools", at, "minNodes"],
        message: `the pool ${name} has at least ${minNodes} nodes and at most ${maxNodes}`,
        remedy: `Raise maxNodes to ${minNodes}, or lower minNodes to ${maxNodes}.`,
      });
    });
    return problems;
  }),
};

const gpuWithoutAccelerator: SpecRule = {
  id: "gcp/gpu-without-accelerator",
  severity: "error",
  covers: [],
  title: "A GPU pool on Google Cloud that does not say which accelerator",
  why: "Pods of GKE ask for an accelerator by its name, and pools are made with it.",
  check: onGoogle(({ target }) =>
    target.cluster.gpuPools.flatMap(({ name, accelerator, resource }, at) => {
      const path = [...cluster, "gpuPools", at];
      const problems: SpecProblem[] = [];
      if (accelerator === undefined) {
        problems.push({
          path: [...path, "accelerator"],
          message: `the GPU pool ${name} names no accelerator`,
          remedy:
            'Set its accelerator, for example "nvidia-l4", or remove the pool and the models that ask for it.',
        });
      }
      if (resource !== "nvidia.com/gpu") {
        problems.push({
          path: [...path, "resource"],
          message: `the GPU pool ${name} offers ${resource}, which GKE's accelerators are not called`,
          remedy:
            'Leave resource out (it is "nvidia.com/gpu"), or use a cluster of your own (target "kubernetes").',
        });
      }
      return problems;
    }),
  ),
};

/** Beginnings of the machine types that an accelerator comes with. */
const MACHINES: Readonly<Record<string, readonly string[]>> = {
  "nvidia-l4": ["g2-"],
  "nvidia-tesla-a100": ["a2-highgpu-", "a2-megagpu-"],
  "nvidia-a100-80gb": ["a2-ultragpu-"],
  "nvidia-h100-80gb": ["a3-highgpu-", "a3-edgegpu-"],
  "nvidia-h100-mega-80gb": ["a3-megagpu-"],
  "nvidia-h200-141gb": ["a3-ultragpu-"],
  "nvidia-b200": ["a4-highgpu-"],
  "nvidia-tesla-t4": ["n1-"],
  "nvidia-tesla-v100": ["n1-"],
  "nvidia-tesla-p100": ["n1-"],
  "nvidia-tesla-p4": ["n1-"],
};

const gpuMachine: SpecRule = {
  id: "gcp/gpu-machine",
  severity: "error",
  covers: [],
  title: "A GPU pool whose machine type does not go with its accelerator or with the cluster's mode",
  why: "Each accelerator comes with machines of its own; Autopilot chooses the machine by itself and would ignore one that is named.",
  check: onGoogle(({ target }) =>
    target.cluster.gpuPools.flatMap(({ name, size, accelerator }, at) => {
      const path = [...cluster, "gpuPools", at, "size"];
      if (target.cluster.mode === "autopilot") {
        if (size === undefined) return [];
        return [
          {
            path,
            message: `the GPU pool ${name} asks for the machine type ${size}, and Autopilot chooses the machine by itself`,
            remedy: 'Remove size from the pool, or set target.cluster.mode: "standard".',
          },
        ];
      }
      const machines = accelerator === undefined ? undefined : MACHINES[accelerator];
      const example =
        machines?.[0] === undefined ? "" : `, one of ${machines.map((one) => `${one}*`).join(", ")}`;
      if (size === undefined) {
        return [
          {
            path,
            message: `the GPU pool ${name} names no machine type`,
            remedy: `Set its size${example}, or set target.cluster.mode: "autopilot".`,
          },
        ];
      }
      if (machines === undefined || machines.some((one) => size.startsWith(one))) return [];
      return [
        {
          path,
          message: `${accelerator} does not come with machines of the type ${size} (GPU pool ${name})`,
          remedy: `Use a machine type with it${example}, or another accelerator.`,
        },
      ];
    }),
  ),
};

const autopilotGpuCount: SpecRule = {
  id: "gcp/autopilot-gpu-count",
  severity: "error",
  covers: [],
  title: "A number of GPUs that no machine of Autopilot has",
  why: "Autopilot makes machines with 1, 2, 4, 8 or 16 accelerators: a pod that asks for another number never starts.",
  check: onGoogle(({ environment, target }) => {
    const { serving } = environment;
    if (target.cluster.mode !== "autopilot" || serving.engine !== "kserve") return [];
    const pools = new Set(target.cluster.gpuPools.map(({ name }) => name));
    return serving.models.flatMap(({ name, gpu }, at) =>
      gpu === undefined || !pools.has(gpu.pool) || Number.isInteger(Math.log2(gpu.count))
        ? []
        : [
            {
              path: ["serving", "models", at, "gpu", "count"],
              message: `the model ${name} asks for ${gpu.count} GPUs, and Autopilot has machines with 1, 2, 4, 8 or 16`,
              remedy: "Ask for one of these numbers, or use Standard mode with a pool of your own.",
            },
          ],
    );
  }),
};

const operatorOnAutopilot: SpecRule = {
  id: "gcp/prometheus-operator-on-autopilot",
  severity: "warning",
  covers: ["E50"],
  title: "Prometheus operator on Autopilot",
  why: "Autopilot restricts pods that see the node: what reads metrics of nodes does not run there, and Google's managed Prometheus is there anyway.",
  check: onGoogle(({ environment, target }) =>
    target.cluster.mode === "autopilot" && environment.monitoring.engine === "prometheus-operator"
      ? [
          {
            path: ["monitoring", "engine"],
            message: "Autopilot does not let Prometheus read the metrics of nodes from their host",
            remedy: 'Set monitoring: { engine: "managed" }, or target.cluster.mode: "standard".',
          },
        ]
      : [],
  ),
};

const kgatewayAddress: SpecRule = {
  id: "gcp/kgateway-address",
  severity: "error",
  covers: [],
  title: "kgateway on Google Cloud with hosts for people",
  why: "Names lead to an address that is reserved; kgateway's Service does not ask for it and gets another one.",
  check: onGoogle(({ environment }) => {
    const { gateway, tracking, pipelines, serving } = environment;
    const exposed = [
      tracking.exposure,
      ...(pipelines.engine === "zenml" ? [pipelines.exposure] : []),
      ...(serving.engine === "kserve" ? [serving.exposure] : []),
    ].some(({ kind }) => kind !== "cluster");
    if (gateway.engine !== "kgateway" || !exposed) return [];
    return [
      {
        path: ["gateway", "engine"],
        message: "kgateway would not answer at the address that the names of the hosts lead to",
        remedy: 'Set gateway.engine: "gke" or "envoy-gateway", or expose nothing to people outside.',
      },
    ];
  }),
};

export const gcpClusterRules: readonly SpecRule[] = [
  autopilotNodePools,
  standardWithoutNodes,
  nodePoolShape,
  gpuWithoutAccelerator,
  gpuMachine,
  autopilotGpuCount,
  operatorOnAutopilot,
  kgatewayAddress,
];
