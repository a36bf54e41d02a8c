import { expect, test } from "vitest";
import { googleRegions, mayBeGoogleRegion, multiRegionOf, registryLocation } from "./google-regions.ts";

test("a region is known, or newer than those of its area", () => {
  expect(googleRegions.every(mayBeGoogleRegion)).toBe(true);
  expect(mayBeGoogleRegion("us-central2")).toBe(true);
  expect(["europe-west5", "europe-wst1", "eu-west-1", "us-central", ""].filter(mayBeGoogleRegion)).toEqual(
    [],
  );
});

test("a bucket is in two regions of one multi-region only", () => {
  expect(multiRegionOf("us-east1", "us-west1")).toEqual({ storage: "US", kms: "us", registry: "us" });
  expect(multiRegionOf("europe-west1", "europe-north1")?.kms).toBe("europe");
  expect(multiRegionOf("asia-south1", "asia-south2")?.storage).toBe("IN");
  expect(multiRegionOf("asia-south1", "asia-southeast1")?.storage).toBe("ASIA");
  expect(multiRegionOf("europe-west1", "europe-west2")).toBeUndefined();
  expect(multiRegionOf("us-east1", "northamerica-northeast1")).toBeUndefined();
});

test("images are in both regions where there is a place that holds both", () => {
  expect(registryLocation("europe-west1", undefined)).toBe("europe-west1");
  expect(registryLocation("europe-west1", "europe-west4")).toBe("europe");
  expect(registryLocation("australia-southeast1", "australia-southeast2")).toBe("australia-southeast1");
});
