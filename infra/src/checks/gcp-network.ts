import { googleRegions, mayBeGoogleRegion, multiRegionOf } from "../spec/google-regions.ts";
import type { GcpTarget } from "../spec/target.ts";
import { closest } from "fastest-levenshtein";
import type { SpecProblem, SpecRule } from "./check.ts";
import { onGoogle } from "./gcp-target.ts";
import { ipv4Range, networkOf, overlap } from "./ipv4-range.ts";

/** Rules over networks and regions of Google Cloud. */

type Network = GcpTarget["network"];
const network = ["target", "network"] as const;

const rangesOf = (of: Network): { name: keyof Network; cidr: string }[] =>
  (["nodes", "pods", "services", "privateServices", "controlPlane"] as const).map((name) => ({
    name,
    cidr: of[name],
  }));

const overlappingRanges: SpecRule = {
  id: "gcp/overlapping-ranges",
  severity: "error",
  covers: ["E50"],
  title: "Two ranges of the network that overlap",
  why: "Subnetwork, pods, Services, private services and control plane share one network: an address must lead to one place.",
  check: onGoogle(({ target }) => {
    const ranges = rangesOf(target.network);
    return ranges.flatMap(({ name, cidr }, at) =>
      ranges
        .slice(0, at)
        .filter((other) => overlap(ipv4Range(cidr), ipv4Range(other.cidr)))
        .map((other) => ({
          path: [...network, name],
          message: `${name} ${cidr} overlaps ${other.name} ${other.cidr}`,
          remedy: `Move target.network.${name} or target.network.${other.name}; without either, the defaults do not overlap.`,
        })),
    );
  }),
};

const hostBits: SpecRule = {
  id: "gcp/range-not-a-network",
  severity: "error",
  covers: ["E50"],
  title: "A range that does not begin at its network",
  why: "Google Cloud refuses a range whose address has bits behind the prefix.",
  check: onGoogle(({ target }) => [
    ...rangesOf(target.network).flatMap(({ name, cidr }) => notNetwork(cidr, [...network, name])),
    ...target.authorizedNetworks.flatMap(({ cidr }, at) =>
      notNetwork(cidr, ["target", "authorizedNetworks", at, "cidr"]),
    ),
  ]),
};

function notNetwork(cidr: string, path: SpecProblem["path"]): SpecProblem[] {
  const whole = networkOf(cidr);
  if (whole === cidr) return [];
  const [address = ""] = cidr.split("/");
  return [
    {
      path,
      message: `${cidr} is an address within ${whole}, not a network`,
      remedy: `Write ${whole} for the network, or ${address}/32 for the address alone.`,
    },
  ];
}

/** Longest and shortest prefix that works, by range. */
const SIZES: Readonly<Record<keyof Network, { least: number; most: number; why: string }>> = {
  nodes: { most: 29, least: 8, why: "a subnetwork has 8 addresses or more" },
  pods: { most: 21, least: 9, why: "every node takes a part of it, in Standard mode a /24" },
  services: { most: 27, least: 16, why: "every Service takes an address of it" },
  privateServices: { most: 24, least: 8, why: "Cloud SQL takes a /24 for each region" },
  controlPlane: { most: 28, least: 28, why: "GKE takes a /28 and nothing else" },
};

const rangeSizes: SpecRule = {
  id: "gcp/range-size",
  severity: "error",
  covers: ["E50"],
  title: "A range that is too small or too large",
  why: "Ranges of a cluster cannot be changed once it is there.",
  check: onGoogle(({ target }) =>
    rangesOf(target.network).flatMap(({ name, cidr }) => {
      const { length } = ipv4Range(cidr);
      const { least, most, why } = SIZES[name];
      if (length >= least && length <= most) return [];
      const [address = ""] = cidr.split("/");
      return [
        {
          path: [...network, name],
          message: `${name} ${cidr} is too ${length > most ? "small" : "large"}: ${why}`,
          remedy: `Use a prefix ${least === most ? `of /${most}` : `between /${least} and /${most}`}, for example ${networkOf(`${address}/${Math.min(Math.max(length, least), most)}`)}, or leave it out: the default fits.`,
        },
      ];
    }),
  ),
};

const podsForNodes: SpecRule = {
  id: "gcp/pods-for-nodes",
  severity: "error",
  covers: ["E50"],
  title: "More nodes than the range of the pods has room for",
  why: "In Standard mode every node takes a /24 of the range: beyond that, pools stop growing.",
  check: onGoogle(({ target }) => {
    const { mode, nodePools, gpuPools } = target.cluster;
    if (mode !== "standard") return [];
    const nodes =
      nodePools.reduce((sum, { maxNodes }) => sum + maxNodes, 0) +
      gpuPools.reduce((sum, pool) => sum + pool.nodes, 0);
    const room = 2 ** Math.max(0, 24 - ipv4Range(target.network.pods).length);
    // An upgrade has one more node in each pool for a while.
    const wanted = nodes + nodePools.length + gpuPools.length;
    if (wanted <= room) return [];
    return [
      {
        path: [...network, "pods"],
        message: `pods ${target.network.pods} have room for ${room} nodes, and the pools grow to ${nodes} and one more each in an upgrade`,
        remedy: "Use a larger range (one bit less in the prefix doubles it), or lower maxNodes.",
      },
    ];
  }),
};

/** The bridge that container runtimes make on every machine. */
const DOCKER_BRIDGE = "172.17.0.0/16";

const dockerRange: SpecRule = {
  id: "gcp/docker-range",
  severity: "error",
  covers: ["E50"],
  title: "A range within 172.17.0.0/16 beside Cloud SQL",
  why: "Cloud SQL's own machines have their container bridge there: answers to such an address never leave them.",
  check: onGoogle(({ environment, target }) => {
    const databases = [environment.tracking.database];
    if (environment.pipelines.engine === "zenml") databases.push(environment.pipelines.database);
    if (!databases.some(({ engine }) => engine === "cloud-sql")) return [];
    return rangesOf(target.network)
      .filter(({ name }) => name === "nodes" || name === "pods" || name === "privateServices")
      .filter(({ cidr }) => overlap(ipv4Range(cidr), ipv4Range(DOCKER_BRIDGE)))
      .map(({ name, cidr }) => ({
        path: [...network, name],
        message: `${name} ${cidr} is within ${DOCKER_BRIDGE}, which Cloud SQL cannot answer to`,
        remedy: "Use another private range, or a database other than Cloud SQL.",
      }));
  }),
};

const openControlPlane: SpecRule = {
  id: "gcp/open-control-plane",
  severity: "error",
  covers: [],
  title: "A Kubernetes API that answers the whole Internet",
  why: "The API has a name that IAM guards: nobody needs its address to be open.",
  check: onGoogle(({ target }) =>
    target.authorizedNetworks.flatMap(({ name, cidr }, at) =>
      ipv4Range(cidr).length > 7
        ? []
        : [
            {
              path: ["target", "authorizedNetworks", at, "cidr"],
              message: `the Kubernetes API would answer ${cidr} (${name})`,
              remedy:
                "Remove the entry and use the API's name (the output kubectl_command does), or give the networks you come from.",
            },
          ],
    ),
  ),
};

const unknownRegion: SpecRule = {
  id: "gcp/unknown-region",
  severity: "error",
  covers: [],
  title: "A region that Google Cloud does not have",
  why: "Terraform checks no region before it applies.",
  check: onGoogle(({ target }) =>
    (["region", "backupRegion"] as const).flatMap((key) => {
      const region = target[key];
      if (region === undefined || mayBeGoogleRegion(region)) return [];
      return [
        {
          path: ["target", key],
          message: `Google Cloud has no region ${region}`,
          remedy: `Did you mean ${closest(region, [...googleRegions])}? \`gcloud compute regions list\` shows them all.`,
        },
      ];
    }),
  ),
};

const sameBackupRegion: SpecRule = {
  id: "gcp/backup-region-same",
  severity: "error",
  covers: ["E47"],
  title: "A backup region that is the region itself",
  why: "What is lost with the region would be lost with its copies.",
  check: onGoogle(({ target }) =>
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

const backupRegionWithoutBackups: SpecRule = {
  id: "gcp/backup-region-without-backups",
  severity: "error",
  covers: ["E47"],
  title: "A backup region without backups",
  why: "A second region is no recovery by itself: something must be in it.",
  check: onGoogle(({ environment, target }) =>
    target.backupRegion === undefined || environment.backup.enabled
      ? []
      : [
          {
            path: ["target", "backupRegion"],
            message: `the backup region ${target.backupRegion} would hold nothing: backup.enabled is false`,
            remedy: "Set backup: { enabled: true }, or remove target.backupRegion.",
          },
        ],
  ),
};

const noSharedMultiRegion: SpecRule = {
  id: "gcp/backup-region-too-far",
  severity: "error",
  covers: ["E47"],
  title: "Two regions that no bucket can be in at once",
  why: "A bucket in two regions takes two of the same multi-region; without one, artifacts would be in the first region only.",
  check: onGoogle(({ environment, target }) => {
    const { region, backupRegion } = target;
    if (backupRegion === undefined || backupRegion === region || environment.objectStore.engine !== "gcs") {
      return [];
    }
    if (!mayBeGoogleRegion(region) || !mayBeGoogleRegion(backupRegion)) return [];
    if (multiRegionOf(region, backupRegion) !== undefined) return [];
    return [
      {
        path: ["target", "backupRegion"],
        message: `no bucket can be in ${region} and ${backupRegion}: they share no multi-region of Cloud Storage`,
        remedy: `Choose a backup region on the continent of ${region}, or keep objects elsewhere (objectStore.engine "s3").`,
      },
    ];
  }),
};

export const gcpNetworkRules: readonly SpecRule[] = [
  overlappingRanges,
  hostBits,
  rangeSizes,
  podsForNodes,
  dockerRange,
  openControlPlane,
  unknownRegion,
  sameBackupRegion,
  backupRegionWithoutBackups,
  noSharedMultiRegion,
];
