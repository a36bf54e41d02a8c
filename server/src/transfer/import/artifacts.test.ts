import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bytesOf, openStorage, type StorageFixture } from "../../modules/storage/storage-fixture.ts";
import { ARTIFACT_BUCKET, storedArtifactPath } from "../../protocols/mlflow/artifacts-paths.ts";
import { pathOfLocation } from "./artifacts-local.ts";
import { copyArtifacts, type ArtifactItem, type ArtifactReport } from "./artifacts.ts";
import { EXPERIMENT, makeFileStore, RUN, type StoreFixture } from "./file-store-fixture.ts";
import type { FileStoreOptions } from "./file-store.ts";
import type { SourceArtifacts } from "./source.ts";

let ground: StorageFixture;
let store: StoreFixture;

beforeAll(async () => {
  ground = await openStorage();
  await ground.storage.ensureBucket(ARTIFACT_BUCKET);
});
afterAll(() => ground[Symbol.asyncDispose]());
beforeEach(async () => {
  await ground.reset();
  store = makeFileStore();
  return () => store[Symbol.dispose]();
});

const place = ({ storage }: StorageFixture) => ({
  storage,
  bucket: ARTIFACT_BUCKET,
  storedPath: storedArtifactPath,
});
const runFolder = `${EXPERIMENT}/${RUN}`;
const itemOfRun = (from = `file://${store.root}/${runFolder}/artifacts`): ArtifactItem => ({
  from,
  to: `0/${RUN}/artifacts`,
  owner: `run ${RUN}`,
});

async function copy(
  items: ArtifactItem[],
  options: Partial<FileStoreOptions> = {},
): Promise<{
  report: ArtifactReport;
  problems: { where: string; what: string }[];
  artifacts: SourceArtifacts;
}> {
  const { source, problems } = store.open(options);
  const artifacts = source.artifacts as SourceArtifacts;
  const onProblem = (problem: (typeof problems)[number]): number => problems.push(problem);
  const report = await copyArtifacts({ ...place(ground), artifacts, onProblem }, items);
  return { report, problems, artifacts };
}

async function stored(): Promise<Record<string, string>> {
  const { entries } = await ground.storage.listDirectory({
    bucket: ARTIFACT_BUCKET,
    prefix: "",
    delimiter: "\u0001",
    limit: 1000,
  });
  const found: Record<string, string> = {};
  for (const entry of entries) {
    if (entry.kind !== "object") continue;
    const bytes = await bytesOf(await ground.storage.getObject({ bucket: ARTIFACT_BUCKET, key: entry.key }));
    found[entry.key.replace(`0/${RUN}/artifacts/`, "")] = bytes.toString("latin1").slice(0, 40);
  }
  return found;
}

describe("copying artifacts", () => {
  it("brings every file, in any folder and of any size, and no empty folder", async () => {
    const large = Buffer.alloc(3_000_000, "large ");
    mkdirSync(join(store.root, runFolder, "artifacts/empty/folder"), { recursive: true });
    store.write({
      [`${runFolder}/artifacts/deep/er/ü b.txt`]: "text",
      [`${runFolder}/artifacts/deep.txt`]: "",
      [`${runFolder}/artifacts/large.bin`]: large,
    });
    const { report, problems } = await copy([itemOfRun()]);
    expect(problems).toEqual([]);
    expect(report).toMatchObject({ items: 1, files: 4, present: 0, missing: { count: 0 } });
    expect(report.bytes).toBe(3_000_000 + 4 + 12);
    expect(await stored()).toEqual({
      "deep.txt": "",
      "deep/er/ü b.txt": "text",
      "large.bin": "large ".repeat(7).slice(0, 40),
      "model/MLmodel": "flavors: {}\n",
    });
    const info = await ground.storage.headObject({
      bucket: ARTIFACT_BUCKET,
      key: `0/${RUN}/artifacts/large.bin`,
    });
    expect(info.size).toBe(large.length);
  });

  it("goes on after a kill: what is there stays, what is newer or of another size comes again", async () => {
    store.write({ [`${runFolder}/artifacts/a`]: "aaaa", [`${runFolder}/artifacts/b`]: "bbbb" });
    const past = new Date(Date.now() - 3_600_000);
    for (const name of ["a", "b", "model/MLmodel"]) {
      utimesSync(join(store.root, runFolder, "artifacts", name), past, past);
    }
    await copy([itemOfRun()]);
    expect((await copy([itemOfRun()])).report).toMatchObject({ files: 0, bytes: 0, present: 3 });
    store.write({ [`${runFolder}/artifacts/a`]: "cc" });
    const path = join(store.root, runFolder, "artifacts/b");
    writeFileSync(path, "dddd");
    const future = new Date(Date.now() + 3_600_000);
    utimesSync(path, future, future);
    expect((await copy([itemOfRun()])).report).toMatchObject({ files: 2, present: 1 });
    expect(await stored()).toMatchObject({ a: "cc", b: "dddd" });
  });

  it("keeps names as a client's upload would, and tells those no client could ask for", async () => {
    store.write({
      [`${runFolder}/artifacts/a b`]: "plain",
      [`${runFolder}/artifacts/a%20b`]: "encoded",
      [`${runFolder}/artifacts/c%20d`]: "alone",
      [`${runFolder}/artifacts/e#f`]: "hash",
      [`${runFolder}/artifacts/g\\h`]: "backslash",
      [`${runFolder}/artifacts/i\nj`]: "line",
    });
    const { problems, report } = await copy([itemOfRun()]);
    expect(await stored()).toEqual({
      "a b": "plain",
      "c d": "alone",
      "i%0aj": "line",
      "model/MLmodel": "flavors: {}\n",
    });
    expect(report.files).toBe(4);
    expect(problems.map(({ where, what }) => `${where.slice(-4)}: ${what}`)).toEqual([
      "/e#f: no MLflow client could ask for a file of this name",
      "/g\\h: no MLflow client could ask for a file of this name",
      expect.stringContaining("%20b: for MLflow's clients it has the same name as another file"),
    ]);
  });

  it("reads a store that was moved, or whose experiment is in the trash", async () => {
    const { report } = await copy([itemOfRun(`file:///somewhere/else/mlruns/${runFolder}/artifacts`)]);
    expect(report.files).toBe(1);
    store.write({ ".trash/4/meta.yaml": "", [`.trash/4/${RUN}/artifacts/t`]: "t" });
    const { artifacts } = await copy([]);
    expect(artifacts.unreadable(`${store.root}/4/${RUN}/artifacts`)).toBeUndefined();
    expect((await copy([itemOfRun(`${store.root}/4/${RUN}/artifacts`)])).report.files).toBe(1);
  });

  it("reads nothing outside of the store, unless its folder is named", async () => {
    const outside = join(store.root, "..", "elsewhere");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), "hidden");
    symlinkSync(join(outside, "secret"), join(store.root, runFolder, "artifacts/link"));
    symlinkSync(outside, join(store.root, runFolder, "artifacts/folder"));
    symlinkSync("/dev/zero", join(store.root, runFolder, "artifacts/zero"));
    const { problems, artifacts } = await copy([itemOfRun()]);
    expect(await stored()).toEqual({ "model/MLmodel": "flavors: {}\n" });
    expect(problems.map(({ what }) => what)).toEqual(Array(3).fill("is a link that leads out of the folder"));
    for (const location of [
      outside,
      `file://${outside}`,
      `${store.root}/../elsewhere`,
      `file://${store.root}/%2e%2e/elsewhere`,
      "/etc",
      "/",
      `/x/${EXPERIMENT}/${RUN}/artifacts/../../../../elsewhere`,
    ]) {
      expect(artifacts.unreadable(location), location).toMatch(/--allow-path/);
    }
    for (const location of ["s3://bucket/x", "gs://bucket/x", "http://host/x", "runs:/x"]) {
      expect(artifacts.unreadable(location), location).toMatch(/left where they are/);
    }
    expect(artifacts.unreadable("mlflow-artifacts:/0/x")).toMatch(/--artifacts-destination/);
    const allowed = await copy([itemOfRun(outside)], { allowPaths: [outside] });
    expect(allowed.report.files).toBe(1);
    expect(await stored()).toMatchObject({ secret: "hidden" });
  });

  it("reads mlflow-artifacts: locations from the server's destination", async () => {
    const destination = join(store.root, "..", "mlartifacts");
    mkdirSync(join(destination, "0", RUN, "artifacts"), { recursive: true });
    writeFileSync(join(destination, "0", RUN, "artifacts/x"), "y");
    const { report } = await copy([itemOfRun(`mlflow-artifacts:/0/${RUN}/artifacts`)]);
    expect(report.files).toBe(1);
    const elsewhere = join(store.root, "..", "other");
    mkdirSync(elsewhere);
    const { artifacts } = await copy([], { artifactsDestination: elsewhere });
    expect(artifacts.unreadable(`mlflow-artifacts:/0/${RUN}/artifacts`)).toBeUndefined();
    await expect(
      copy([itemOfRun("mlflow-artifacts:/../mlruns")], { artifactsDestination: elsewhere }),
    ).resolves.toMatchObject({ report: { files: 0 } });
  });

  it("tells missing folders without failing, in order and with all others copied", async () => {
    rmSync(join(store.root, runFolder, "artifacts"), { recursive: true });
    const items = Array.from({ length: 30 }, (_none, index) => {
      const run = index.toString(16).padStart(32, "0");
      if (index % 2 === 0) store.write({ [`${EXPERIMENT}/${run}/artifacts/f`]: `${index}` });
      return { from: `${store.root}/${EXPERIMENT}/${run}/artifacts`, to: `0/${run}`, owner: `run ${index}` };
    });
    const seen: number[] = [];
    const { source } = store.open();
    const report = await copyArtifacts(
      { ...place(ground), artifacts: source.artifacts as SourceArtifacts, onProblem: () => undefined },
      items,
      ({ items: done }) => seen.push(done),
    );
    expect(report).toMatchObject({ files: 15, items: 30, missing: { count: 15 } });
    expect(report.missing.owners).toContain("run 29");
    expect(seen).toEqual(Array.from({ length: 30 }, (_none, index) => index + 1));
  });

  it("ends at the first failure of its own storage", async () => {
    await using other = await openStorage();
    const artifacts = store.open().source.artifacts as SourceArtifacts;
    const copying = copyArtifacts({ ...place(other), artifacts, onProblem: () => undefined }, [
      itemOfRun(),
      itemOfRun(),
    ]);
    await expect(copying).rejects.toThrow(/Bucket/);
  });
});

describe("artifact locations", () => {
  it.each([
    ["/a/b", "/a/b"],
    ["a/b", "/base/a/b"],
    ["./a", "/base/a"],
    ["file:///a%20b/c", "/a b/c"],
    ["file:///a#b?c", "/a#b?c"],
    ["file:/a", "/a"],
    ["file:a/b", "/base/a/b"],
    ["file://host/a", undefined],
    ["s3://a/b", undefined],
    ["", undefined],
  ])("%s is the path %s", (location, path) => {
    expect(pathOfLocation(location, "/base")).toBe(path);
  });
});
