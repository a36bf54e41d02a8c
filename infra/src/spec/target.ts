import { z } from "zod";
import { cidr, dnsLabel, email } from "./values.ts";

/** Where the platform runs. */

/** Nodes with accelerators, which inference asks for by name. */
const gpuPool = z.strictObject({
  name: dnsLabel,
  /** What the pods ask for, for example `nvidia.com/gpu`. */
  resource: z.string().default("nvidia.com/gpu"),
  /** Machine size of Civo, or machine type of Google Cloud. An existing cluster has its nodes. */
  size: z.string().optional(),
  /** Accelerator of Google Cloud, for example `nvidia-l4`. */
  accelerator: z.string().optional(),
  nodes: z.int().min(1).max(100).default(1),
  gpusPerNode: z.int().min(1).max(16).default(1),
});
export type GpuPool = z.infer<typeof gpuPool>;

const civo = z.strictObject({
  kind: z.literal("civo"),
  /** Region in capitals as Civo's API has it, for example `LON1`. */
  region: z.string().regex(/^[A-Z]{3}\d$/, "a region of Civo in capitals, for example LON1"),
  backupRegion: z
    .string()
    .regex(/^[A-Z]{3}\d$/, "a region of Civo in capitals, for example FRA1")
    .optional(),
  network: z.strictObject({ cidr: cidr.default("10.20.0.0/24") }).prefault({}),
  /** Who may reach the Kubernetes API. */
  adminCidrs: z.array(cidr).min(1),
  cluster: z
    .strictObject({
      type: z.enum(["k3s", "talos"]).default("k3s"),
      version: z
        .string()
        .regex(
          /^(\d+\.\d+\.\d+-k3s\d+|talos-v\d+\.\d+\.\d+)$/,
          "as Civo writes it: 1.32.5-k3s1 or talos-v1.9.0",
        )
        .default("1.32.5-k3s1"),
      cni: z.enum(["flannel", "cilium"]).default("cilium"),
      size: z.string().default("g4s.kube.medium"),
      nodes: z.int().min(1).max(100).default(3),
      gpuPools: z.array(gpuPool).default([]),
    })
    .prefault({}),
});

const gcp = z.strictObject({
  kind: z.literal("gcp"),
  project: z
    .string()
    .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, "a project id: 6 to 30 lower-case letters, digits and hyphens"),
  region: z.string().regex(/^[a-z]+-[a-z]+\d+$/, "a region of Google Cloud, for example europe-west1"),
  /** Second region, for backups and copies. */
  backupRegion: z
    .string()
    .regex(/^[a-z]+-[a-z]+\d+$/, "a region of Google Cloud, for example europe-west4")
    .optional(),
  network: z
    .strictObject({
      nodes: cidr.default("10.0.0.0/20"),
      pods: cidr.default("10.1.0.0/16"),
      services: cidr.default("10.2.0.0/20"),
      /** Range that Cloud SQL takes its private addresses from. */
      privateServices: cidr.default("10.3.0.0/16"),
      controlPlane: cidr.default("172.16.0.0/28"),
    })
    .prefault({}),
  /** Who may reach the Kubernetes API besides Google's DNS endpoint; none by default. */
  authorizedNetworks: z.array(z.strictObject({ name: z.string(), cidr })).default([]),
  cluster: z
    .strictObject({
      mode: z.enum(["autopilot", "standard"]).default("autopilot"),
      releaseChannel: z.enum(["RAPID", "REGULAR", "STABLE"]).default("REGULAR"),
      /** Only with mode standard: Autopilot makes its own nodes. */
      nodePools: z
        .array(
          z.strictObject({
            name: dnsLabel,
            machineType: z.string().default("e2-standard-4"),
            minNodes: z.int().min(0).max(100).default(1),
            maxNodes: z.int().min(1).max(100).default(3),
          }),
        )
        .default([]),
      gpuPools: z.array(gpuPool).default([]),
    })
    .prefault({}),
  /** Alerts on what the project costs. */
  budget: z
    .strictObject({
      /** Billing account: 0X0X0X-0X0X0X-0X0X0X. */
      billingAccount: z.string().regex(/^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$/, "XXXXXX-XXXXXX-XXXXXX"),
      monthly: z.int().min(1),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, "a currency code, for example EUR")
        .default("USD"),
      notify: z.array(email).default([]),
    })
    .optional(),
});

const kubernetes = z.strictObject({
  kind: z.literal("kubernetes"),
  /** Storage class of volumes. `local-path` keeps them on one node. */
  storageClass: dnsLabel.default("standard"),
  /** What the cluster's nodes with accelerators are labelled and tainted with. */
  gpuPools: z.array(gpuPool).default([]),
});

export const target = z.discriminatedUnion("kind", [civo, gcp, kubernetes]);
export type CivoTarget = z.infer<typeof civo>;
export type GcpTarget = z.infer<typeof gcp>;
