/** Regions of Google Cloud, and the larger places that they are part of. */

/** Highest region number of each area that this release knows. Gaps below it are regions that do not exist. */
const AREAS: Readonly<Record<string, readonly number[]>> = {
  "africa-south": [1],
  "asia-east": [1, 2],
  "asia-northeast": [1, 2, 3],
  "asia-south": [1, 2],
  "asia-southeast": [1, 2, 3],
  "australia-southeast": [1, 2],
  "europe-central": [2],
  "europe-north": [1, 2],
  "europe-southwest": [1],
  "europe-west": [1, 2, 3, 4, 6, 8, 9, 10, 12],
  "me-central": [1, 2],
  "me-west": [1],
  "northamerica-northeast": [1, 2],
  "northamerica-south": [1],
  "southamerica-east": [1],
  "southamerica-west": [1],
  "us-central": [1],
  "us-east": [1, 4, 5],
  "us-south": [1],
  "us-west": [1, 2, 3, 4],
};

export const googleRegions: readonly string[] = Object.entries(AREAS).flatMap(([area, numbers]) =>
  numbers.map((number) => `${area}${number}`),
);

/** Whether a region can exist: it is known, or newer than the newest known of its area. */
export function mayBeGoogleRegion(region: string): boolean {
  const [, area = "", number = ""] = /^(.*?)(\d+)$/.exec(region) ?? [];
  const numbers = AREAS[area];
  return numbers !== undefined && (numbers.includes(Number(number)) || Number(number) > Math.max(...numbers));
}

/**
 * A multi-region that holds both regions: by the name Cloud Storage has for it, by Cloud KMS's, and by Artifact
 * Registry's where that has one. Undefined where no bucket can be in both.
 * https://cloud.google.com/storage/docs/locations
 */
export type MultiRegion = { storage: string; kms: string; registry: string | undefined };

/** London and Zurich are in Europe, yet not in the multi-region EU. */
const OUTSIDE_EU = new Set(["europe-west2", "europe-west6"]);

export function multiRegionOf(one: string, other: string): MultiRegion | undefined {
  const both = (test: (region: string) => boolean): boolean => test(one) && test(other);
  if (both((region) => region.startsWith("us-"))) return { storage: "US", kms: "us", registry: "us" };
  if (both((region) => region.startsWith("europe-") && !OUTSIDE_EU.has(region))) {
    return { storage: "EU", kms: "europe", registry: "europe" };
  }
  if (both((region) => region.startsWith("asia-south") && !region.startsWith("asia-southeast"))) {
    return { storage: "IN", kms: "in", registry: "asia" };
  }
  if (both((region) => region.startsWith("asia-"))) return { storage: "ASIA", kms: "asia", registry: "asia" };
  if (both((region) => region.startsWith("australia-"))) {
    return { storage: "AU", kms: "au", registry: undefined };
  }
  if (both((region) => region.startsWith("northamerica-northeast"))) {
    return { storage: "CA", kms: "ca", registry: undefined };
  }
  return undefined;
}

/** Where images are: in both regions when there are two that share a multi-region. */
export function registryLocation(region: string, backupRegion: string | undefined): string {
  const multiRegion = backupRegion === undefined ? undefined : multiRegionOf(region, backupRegion);
  return multiRegion?.registry ?? region;
}
