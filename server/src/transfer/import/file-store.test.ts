import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  EXPERIMENT,
  experimentYaml,
  makeFileStore,
  rowsOf,
  RUN,
  runsOf,
  runYaml,
} from "./file-store-fixture.ts";

const runFolder = `${EXPERIMENT}/${RUN}`;

describe("a file store", () => {
  it("gives experiments, runs, parameters, tags and the whole history", async () => {
    using store = makeFileStore();
    const { source, problems } = store.open();
    expect(source.description).toMatchObject({ kind: "files", place: store.root, snapshot: false });
    expect(await source.count()).toMatchObject({ experiments: 1, runs: 1, not_imported: {} });
    expect(await rowsOf(source.experiments(undefined))).toEqual([
      {
        workspace: "default",
        experiment_id: EXPERIMENT,
        name: "training",
        artifact_location: `file://${store.root}/${EXPERIMENT}`,
        lifecycle_stage: "active",
        creation_time: 1795263685608,
        last_update_time: 1795263685609,
        tags: [],
      },
    ]);
    const { runs, points } = await runsOf(source);
    expect(runs).toMatchObject([
      {
        run_uuid: RUN,
        name: "first run",
        status: "FINISHED",
        lifecycle_stage: "active",
        params: [{ key: "lr", value: "0.1" }],
        tags: [{ key: "mlflow.runName", value: "first run" }],
      },
    ]);
    expect(points).toEqual([`${RUN}/loss/train 1000 0.5 0`, `${RUN}/loss/train 1001 0.25 1`]);
    expect(problems).toEqual([]);
  });

  it("reads every form of metric line that MLflow wrote", async () => {
    using store = makeFileStore();
    const lines = [
      "5 1e-05",
      "6 nan -1",
      "7 inf 2",
      "8 -inf 3",
      "9 0.5 7 my data 2981c147",
      "1 2.0 9223372036854775807",
    ];
    store.write({ [`${runFolder}/metrics/loss/train`]: `${lines.join("\n")}\n` });
    const { source, problems } = store.open();
    const { points } = await runsOf(source);
    expect(points.map((point) => point.slice(RUN.length + 12))).toEqual([
      "5 0.00001 0",
      "6 NaN -1",
      "7 Infinity 2",
      "8 -Infinity 3",
      "9 0.5 7",
      "1 2 9223372036854775807",
    ]);
    expect(problems).toEqual([]);
  });

  it("keeps a run id that other readers of YAML take for a number, and empty and long texts", async () => {
    using store = makeFileStore();
    const id = "12345678901234567890123456789e12";
    store.write({
      [`${EXPERIMENT}/${id}/meta.yaml`]: runYaml(store.root, { id, experiment: EXPERIMENT, name: "null" }),
      [`${EXPERIMENT}/${id}/params/empty`]: "",
      [`${EXPERIMENT}/${id}/params/a/b`]: "two\nlines ü",
    });
    const { source, problems } = store.open();
    const run = (await runsOf(source)).runs.find(({ run_uuid }) => run_uuid === id);
    expect(run).toMatchObject({
      name: null,
      params: [
        { key: "a/b", value: "two\nlines ü" },
        { key: "empty", value: "" },
      ],
    });
    expect(problems).toEqual([]);
  });

  it("finds deleted experiments in the trash, and goes on behind any cursor", async () => {
    using store = makeFileStore();
    for (const [index, id] of ["0", "17", "9"].entries()) {
      const run = `${index}`.repeat(32);
      const [parent, stage] = id === "17" ? [".trash/", "deleted"] : ["", "active"];
      store.write({
        [`${parent}${id}/meta.yaml`]: experimentYaml(store.root, { id, name: `e${id}`, stage }),
        [`${parent}${id}/${run}/meta.yaml`]: runYaml(store.root, { id: run, experiment: id }),
      });
    }
    const { source, problems } = store.open();
    const experiments = await rowsOf(source.experiments(undefined));
    expect(experiments.map((row) => [row.experiment_id, row.lifecycle_stage])).toEqual([
      ["0", "active"],
      ["17", "deleted"],
      [EXPERIMENT, "active"],
      ["9", "active"],
    ]);
    const all = (await runsOf(source)).runs.map(
      ({ experiment_id, run_uuid }) => `${experiment_id}/${run_uuid}`,
    );
    expect(all).toHaveLength(4);
    for (const [index, cursor] of all.entries()) {
      const rest = (await runsOf(source, cursor)).runs;
      expect(rest.map(({ experiment_id, run_uuid }) => `${experiment_id}/${run_uuid}`)).toEqual(
        all.slice(index + 1),
      );
    }
    expect(await rowsOf(source.experiments("17"))).toHaveLength(2);
    expect(problems).toEqual([]);
  });

  it("pages by size: a long history comes by itself", async () => {
    using store = makeFileStore();
    const long = "f".repeat(32);
    const line = "1795263690034 0.123456789012345 ";
    const text = Array.from({ length: 250_000 }, (_none, step) => `${line}${step}\n`).join("");
    store.write({
      [`${EXPERIMENT}/${long}/meta.yaml`]: runYaml(store.root, { id: long, experiment: EXPERIMENT }),
      [`${EXPERIMENT}/${long}/metrics/m`]: text,
    });
    const { source, problems } = store.open();
    const { cursors, points } = await runsOf(source);
    expect(cursors).toEqual([`${EXPERIMENT}/${RUN}`, `${EXPERIMENT}/${long}`]);
    expect(points).toHaveLength(250_002);
    expect(points.at(-1)).toBe(`${long}/m 1795263690034 0.123456789012345 249999`);
    expect(problems).toEqual([]);
  });
});

describe("a file store that is damaged", () => {
  /** Runs a full reading after `damage`, and answers with the problems and the run. */
  const readAfter = async (damage: (store: ReturnType<typeof makeFileStore>) => void) => {
    using store = makeFileStore();
    damage(store);
    const { source, problems } = store.open();
    const { runs, points } = await runsOf(source);
    const where = (path: string): string => join(store.root, path);
    return { runs, points, problems, where };
  };

  it("tells lines that are none, and keeps the others", async () => {
    const { points, problems, where } = await readAfter((store) =>
      store.write({ [`${runFolder}/metrics/loss/train`]: "1 0.5 0\n2 x 1\n\n3 0.25 2\n4 0.12" }),
    );
    expect(points).toHaveLength(2);
    expect(problems).toEqual([
      {
        where: where(`${runFolder}/metrics/loss/train`),
        what: `line 2 is no metric point: 'x' is not a number ("2 x 1"), as are 2 more`,
        effect: "the lines are left out",
      },
    ]);
  });

  it.each([
    ["an empty metric", "metrics/loss/train", "", "is empty"],
    [
      "a metric with an endless line",
      "metrics/loss/train",
      "1".repeat(400_000),
      "line 1 is longer than 65536 bytes",
    ],
    ["a parameter that is not UTF-8", "params/lr", Buffer.from([0x66, 0xfc]), "is not UTF-8 text"],
    ["a tag with a null character", "tags/mlflow.runName", "a\0b", "holds a null character"],
    ["an empty meta.yaml", "meta.yaml", "", "is empty"],
    [
      "half of a meta.yaml",
      "meta.yaml",
      "artifact_uri: 'file:///a\nend_t",
      "is not the YAML that MLflow writes",
    ],
    ["a meta.yaml of a list", "meta.yaml", "- 1\n", "no mapping"],
    [
      "a meta.yaml with a tag of Python",
      "meta.yaml",
      "run_id: !!python/object:os.system x\n",
      "is not the YAML",
    ],
    [
      "a meta.yaml of aliases",
      "meta.yaml",
      "a: &a [x]\nb: [*a, *a]\n",
      "references between values are not followed",
    ],
    ["a meta.yaml of brackets", "meta.yaml", "[".repeat(100_000), "is not the YAML that MLflow writes"],
    [
      "the meta.yaml of another run",
      "meta.yaml",
      runYaml("/x", { id: "b".repeat(32), experiment: EXPERIMENT }),
      "that of the run 'bbb",
    ],
    [
      "the meta.yaml of another experiment",
      "meta.yaml",
      runYaml("/x", { id: RUN, experiment: "1" }),
      "of the experiment '1'",
    ],
    [
      "an unknown status",
      "meta.yaml",
      runYaml("/x", { id: RUN, experiment: EXPERIMENT }).replace("status: 3", "status: 9"),
      "status '9'",
    ],
    [
      "a time that is none",
      "meta.yaml",
      runYaml("/x", { id: RUN, experiment: EXPERIMENT }).replace("1795263685757", "soon"),
      "whole number: 'soon'",
    ],
  ])("tells %s", async (...[, path, content, what]) => {
    const { problems, runs, where } = await readAfter((store) =>
      store.write({ [`${runFolder}/${path}`]: content }),
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]?.what).toContain(what);
    expect(problems[0]?.where).toContain(where(runFolder));
    expect(runs).toHaveLength(path === "meta.yaml" ? 0 : 1);
  });

  it("tells a run and an experiment without their meta.yaml, and passes over folders of other tools", async () => {
    const { problems, where } = await readAfter((store) => {
      store.write({
        [`${EXPERIMENT}/${"c".repeat(32)}/metrics/m`]: "1 1 1\n",
        [`${EXPERIMENT}/notebooks/a.txt`]: "x",
        "12/tags/a": "b",
        "plots/a.png": "x",
      });
    });
    expect(problems.map(({ where: place, what }) => [place, what])).toEqual([
      [where("12"), "has no meta.yaml"],
      [where(`${EXPERIMENT}/${"c".repeat(32)}`), "has no meta.yaml"],
    ]);
  });

  it("follows no link out of the folder, whatever it is put in place of", async () => {
    using store = makeFileStore();
    const outside = join(store.root, "..", "outside");
    mkdirSync(join(outside, "deep"), { recursive: true });
    writeFileSync(join(outside, "secret"), "hidden");
    symlinkSync(join(outside, "secret"), join(store.root, runFolder, "params/secret"));
    symlinkSync(outside, join(store.root, runFolder, "params/folder"));
    symlinkSync(join(store.root, runFolder), join(store.root, runFolder, "tags/round"));
    symlinkSync(join(store.root, runFolder, "params/lr"), join(store.root, runFolder, "params/same"));
    symlinkSync(outside, join(store.root, "77"));
    const { source, problems } = store.open();
    const { runs } = await runsOf(source);
    expect(runs[0]?.params).toEqual([
      { key: "lr", value: "0.1" },
      { key: "same", value: "0.1" },
    ]);
    expect(
      problems.map(({ where, what }) => `${where.slice(store.root.length + 1)} ${what}`).toSorted(),
    ).toEqual([
      `${runFolder}/params/folder is a link that leads out of the folder`,
      `${runFolder}/params/secret is a link that leads out of the folder`,
      `${runFolder}/tags/round is a link to something other than a file`,
      "77 is a link that leads out of the folder",
    ]);
  });

  it("refuses what is no file store, with a hint", () => {
    using store = makeFileStore();
    const artifactsDestination = "/nowhere";
    expect(() => store.open({ artifactsDestination })).toThrow(
      /\/nowhere: is no folder \(--artifacts-destination\)/,
    );
    renameSync(join(store.root, EXPERIMENT, "meta.yaml"), join(store.root, EXPERIMENT, "meta"));
    expect(() => store.open()).toThrow(/is no MLflow file store: no folder in it is an experiment/);
    writeFileSync(join(store.root, "mlflow.db"), "");
    expect(() => store.open()).toThrow(/is it sqlite:\/\/\//);
  });

  it("sees what is appended while a file is read as far as whole lines go", async () => {
    using store = makeFileStore();
    const { source, problems } = store.open();
    for await (const page of source.runs(undefined)) {
      appendFileSync(join(store.root, runFolder, "metrics/loss/train"), "1002 0.125 2\n1003 0.");
      let count = 0;
      for await (const { keys } of page.points()) count += keys.length;
      expect(count).toBe(3);
    }
    expect(problems).toMatchObject([{ what: 'line 4 is no metric point: it is not finished ("1003 0.")' }]);
  });
});
