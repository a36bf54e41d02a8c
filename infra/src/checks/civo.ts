import type { Environment } from "../spec/platform.ts";
import type { CivoDatabase } from "../spec/state.ts";
import type { CivoTarget } from "../spec/target.ts";
import type { SpecProblem, SpecRule } from "./check.ts";
import { databasesOf } from "./databases-of.ts";
import { ipv4Range, networkOf } from "./ipv4-range.ts";

/** Rules on Civo: what its API refuses or accepts and never does, and what its provider lets through. */

type OnCivo = { environment: Environment; target: CivoTarget };

const onCivo =
  (check: (found: OnCivo) => SpecProblem[]): SpecRule["check"] =>
  (environment) =>
    environment.target.kind === "civo" ? check({ environment, target: environment.target }) : [];

const ciliumOnTalos: SpecRule = {
  id: "civo/cilium-on-talos",
  severity: "error",
  covers: [],
  title: "Cilium on a Talos cluster",
  why: "Civo's provider refuses this pair when it plans.",
  check: onCivo(({ target: { cluster } }) =>
    cluster.type !== "talos" || cluster.cni !== "cilium"
      ? []
      : [
          {
            path: ["target", "cluster", "cni"],
            message: "Civo has no Talos clusters with Cilium",
            remedy: 'Set target.cluster.cni: "flannel", or target.cluster.type: "k3s".',
          },
        ],
  ),
};

const versionOfOtherType: SpecRule = {
  id: "civo/version-of-other-type",
  severity: "error",
  covers: [],
  title: "A version of the other kind of cluster",
  why: "k3s and Talos have versions of their own form; the provider refuses the other's when it plans.",
  check: onCivo(({ target: { cluster } }) => {
    const isTalos = cluster.version.startsWith("talos-");
    if (isTalos === (cluster.type === "talos")) return [];
    return [
      {
        path: ["target", "cluster", "version"],
        message: `${cluster.version} is no version of ${cluster.type}`,
        remedy: `Write it as ${cluster.type === "talos" ? '"talos-v1.9.0"' : '"1.32.5-k3s1"'}, or set target.cluster.type: "${isTalos ? "talos" : "k3s"}".`,
      },
    ];
  }),
};

/** Regions that this release knows. */
const REGIONS = ["FRA1", "LON1", "MUM1", "NYC1", "PHX1"];

const unknownRegion: SpecRule = {
  id: "civo/unknown-region",
  severity: "warning",
  covers: [],
  title: "A region of Civo that this release does not know",
  why: "Every plan asks Civo for its regions and fails on one that is not among them.",
  check: onCivo(({ target }) =>
    (["region", "backupRegion"] as const).flatMap((key) => {
      const region = target[key];
      if (region === undefined || REGIONS.includes(region)) return [];
      return [
        {
          path: ["target", key],
          message: `${region} is none of the regions of Civo known here: ${REGIONS.join(", ")}`,
          remedy: "Use one of them, or see that `civo region ls` lists it.",
        },
      ];
    }),
  ),
};

const sameBackupRegion: SpecRule = {
  id: "civo/backup-region-same",
  severity: "error",
  covers: ["E47"],
  title: "A backup region that is the region itself",
  why: "What is lost with the region would be lost with its copies.",
  check: onCivo(({ target }) =>
    target.backupRegion !== target.region
      ? []
      : [
          {
            path: ["target", "backupRegion"],
            message: `the backup region ${target.region} is the region that everything runs in`,
            remedy: "Name another region, or remove target.backupRegion.",
          },
        ],
  ),
};

const emptyBackupRegion: SpecRule = {
  id: "civo/backup-region-without-backups",
  severity: "error",
  covers: ["E47"],
  title: "A backup region with nothing in it",
  why: "A second region is no recovery by itself. At Civo it can hold buckets, and nothing else: databases and clusters have no copy elsewhere.",
  check: onCivo(({ environment: { backup, objectStore }, target }) => {
    if (target.backupRegion === undefined) return [];
    if (backup.enabled && objectStore.engine === "civo") return [];
    return [
      {
        path: ["target", "backupRegion"],
        message: backup.enabled
          ? `the backup region ${target.backupRegion} would hold nothing: objectStore.engine is "${objectStore.engine}"`
          : `the backup region ${target.backupRegion} would hold nothing: backup.enabled is false`,
        remedy: `Set ${backup.enabled ? 'objectStore: { engine: "civo" }' : "backup: { enabled: true }"}, or remove target.backupRegion.`,
      },
    ];
  }),
};

const storeSize: SpecRule = {
  id: "civo/object-store-size",
  severity: "error",
  covers: ["E14"],
  title: "A size that object stores do not come in",
  why: "Civo sells object stores in steps of 500 GB and refuses others.",
  check: onCivo(({ environment: { objectStore } }) =>
    objectStore.engine !== "civo" || objectStore.sizeGb % 500 === 0
      ? []
      : [
          {
            path: ["objectStore", "sizeGb"],
            message: `there is no object store of ${objectStore.sizeGb} GB`,
            remedy: `Use ${Math.floor(objectStore.sizeGb / 500) * 500} or ${Math.ceil(objectStore.sizeGb / 500) * 500}.`,
          },
        ],
  ),
};

const openApi: SpecRule = {
  id: "civo/open-kubernetes-api",
  severity: "error",
  covers: [],
  title: "The Kubernetes API open to everybody",
  why: "Whoever gets hold of a kubeconfig, or finds a hole in the API server, is inside at once.",
  check: onCivo(({ target }) =>
    target.adminCidrs.flatMap((cidr, at) =>
      ipv4Range(cidr).length > 0
        ? []
        : [
            {
              path: ["target", "adminCidrs", at],
              message: `${cidr} lets the whole internet reach the Kubernetes API`,
              remedy: "Name the networks that administrators work from, or the address of a VPN.",
            },
          ],
    ),
  ),
};

const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(ipv4Range);

const networkRange: SpecRule = {
  id: "civo/network-range",
  severity: "error",
  covers: [],
  title: "A range that no private network can have",
  why: "The range of a network cannot be changed later: another one is another network, with everything in it made anew.",
  check: onCivo(({ target: { network } }) => {
    const range = ipv4Range(network.cidr);
    const path = ["target", "network", "cidr"];
    if (networkOf(network.cidr) !== network.cidr) {
      return [
        {
          path,
          message: `${network.cidr} is an address within a network`,
          remedy: `Write ${networkOf(network.cidr)}, or the first address of another range.`,
        },
      ];
    }
    if (!PRIVATE.some(({ first, last }) => first <= range.first && range.last <= last)) {
      return [
        {
          path,
          message: `${network.cidr} is no private range: others on the internet own these addresses`,
          remedy: "Use a range within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
        },
      ];
    }
    return [];
  }),
};

/** Memory of the small sizes of nodes, in GiB. */
const SMALL: Readonly<Record<string, number>> = { "g4s.kube.xsmall": 1, "g4s.kube.small": 2 };

const smallNodes: SpecRule = {
  id: "civo/small-nodes",
  severity: "warning",
  covers: [],
  title: "Nodes that are too small for the platform",
  why: "Kubernetes itself takes a good part of a small node; Argo CD's controller or a database would not find room on any.",
  check: onCivo(({ target: { cluster } }) => {
    const memory = SMALL[cluster.size];
    if (memory === undefined) return [];
    return [
      {
        path: ["target", "cluster", "size"],
        message: `nodes of ${cluster.size} have ${memory} GiB of memory, and most of it is the system's`,
        remedy: 'Use "g4s.kube.medium" (4 GiB) or a larger size.',
      },
    ];
  }),
};

const gpuPoolSize: SpecRule = {
  id: "civo/gpu-pool-without-size",
  severity: "error",
  covers: [],
  title: "A pool of accelerators without a size",
  why: "At Civo the size of a node decides whether it has an accelerator, and which.",
  check: onCivo(({ target: { cluster } }) =>
    cluster.gpuPools.flatMap(({ name, size }, at) =>
      size !== undefined
        ? []
        : [
            {
              path: ["target", "cluster", "gpuPools", at],
              message: `the pool ${name} names no size of nodes, so none of them would have an accelerator`,
              remedy: "Set size to one that `civo size list` shows with a GPU, or remove the pool.",
            },
          ],
    ),
  ),
};

const civoDatabases = (
  environment: Environment,
): { path: readonly (string | number)[]; database: CivoDatabase }[] =>
  databasesOf(environment).flatMap(({ path, database }) =>
    database.engine === "civo-database" ? [{ path, database }] : [],
  );

const databaseVersion: SpecRule = {
  id: "civo/database-version",
  severity: "error",
  covers: ["E01"],
  title: "A database version that the component cannot use",
  why: "The version of a running database never changes: the provider accepts another one, plans it for ever and does nothing. So it must be right from the first.",
  check: onCivo(({ environment }) =>
    civoDatabases(environment).flatMap(({ path, database }) => {
      const major = Number(/^\d+/.exec(database.version)?.[0]);
      const least = database.dialect === "mysql" ? 8 : 15;
      // PostgreSQL counts to 18 today, MySQL to 9.
      const most = database.dialect === "mysql" ? 9 : 30;
      if (major >= least && major <= most) return [];
      return [
        {
          path: [...path, "version"],
          message: `version ${database.version} of ${database.dialect} cannot be used: it must be ${least} or newer`,
          remedy:
            database.dialect === "mysql"
              ? 'Set version: "8.0", or use another engine ("kubeblocks").'
              : 'Set version: "17", or use another engine ("cloudnative-pg").',
        },
      ];
    }),
  ),
};

export const civoRules: readonly SpecRule[] = [
  ciliumOnTalos,
  versionOfOtherType,
  unknownRegion,
  sameBackupRegion,
  emptyBackupRegion,
  storeSize,
  openApi,
  networkRange,
  smallNodes,
  gpuPoolSize,
  databaseVersion,
];
