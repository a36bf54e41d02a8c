// Terraform files of whole outputs, before Terraform itself and the providers that can be built here.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readOutputs } from "./outputs.ts";
import { ensurePrograms, findTerraform } from "./tools.ts";

const outputs = readOutputs();
const terraform = findTerraform();
const work = mkdtempSync(join(tmpdir(), "plinth-terraform-"));
let providers = "";

beforeAll(async () => {
  providers = await ensurePrograms("terraform");
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function run(args: readonly string[], folder: string): { code: number | null; output: string } {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: work,
    TF_CLI_CONFIG_FILE: configuration(),
    TF_IN_AUTOMATION: "1",
  };
  const done = spawnSync(terraform ?? "", args, { cwd: folder, env, encoding: "utf8" });
  return { code: done.status, output: `${done.stdout}${done.stderr}` };
}

/** Providers that were built are taken as they are; of others nothing can be fetched here. */
function configuration(): string {
  const file = join(work, "terraform.rc");
  const own = [...builtProviders()].map(([source]) => `    "${source}" = ${JSON.stringify(providers)}`);
  const content = `provider_installation {\n  dev_overrides {\n${own.join("\n")}\n  }\n  direct {}\n}\n`;
  writeFileSync(file, `disable_checkpoint = true\n${content}`);
  return file;
}

const sources: Readonly<Record<string, string>> = { "terraform-provider-civo": "civo/civo" };

const builtProviders = (): Map<string, string> =>
  new Map(
    globSync("terraform-provider-*", { cwd: providers }).map((program) => [
      sources[program] ?? program,
      program,
    ]),
  );

/** Folders that are planned and applied by themselves: they say where their state is. */
const rootsOf = (folder: string): string[] =>
  globSync("terraform/**/backend.tf", { cwd: folder }).map(dirname).sort();

/** Every provider that the files below ask for. */
function providersOf(folder: string): Set<string> {
  const texts = globSync("**/*.tf", { cwd: folder }).map((path) => readFileSync(join(folder, path), "utf8"));
  const found = texts.flatMap((text) => [...text.matchAll(/^\s+source\s+=\s+"([\w-]+\/[\w-]+)"$/gm)]);
  return new Set(found.map(([, source]) => source ?? ""));
}

describe.each(outputs)("$name", ({ folder }) => {
  test("is as terraform fmt leaves it", (context) => {
    if (terraform === undefined) return context.skip("there is no terraform on the PATH");
    const done = run(["fmt", "-check", "-recursive", "-diff"], join(folder, "terraform"));
    expect(done).toEqual({ code: 0, output: "" });
  });

  test("has its stages", () => {
    expect(rootsOf(folder)).toContain("terraform/platform");
  });
});

const validated = outputs.flatMap(({ name, folder }) =>
  rootsOf(folder)
    .map((path) => ({ name, path, folder: join(folder, path) }))
    .filter((root) =>
      [...providersOf(root.folder)].every((source) => Object.values(sources).includes(source)),
    ),
);

describe("with the real providers", () => {
  // Of those that the outputs use, the Go proxy has Civo's in the version we write for; the others refuse to be fetched.
  test("there are stages that use no other than the built ones", (context) => {
    if (terraform === undefined) return context.skip("there is no terraform on the PATH");
    expect(validated.map(({ path }) => path)).toContain("terraform/cluster");
  });

  test.for(validated)("$name/$path is valid", ({ name, path, folder }, context) => {
    if (terraform === undefined) return context.skip("there is no terraform on the PATH");
    // A copy: Terraform notes beside the files where modules are.
    const copy = join(work, name, path);
    cpSync(folder, copy, { recursive: true });
    const got = run(["get"], copy);
    expect(got.code, got.output).toBe(0);
    const done = run(["validate", "-json"], copy);
    const answer = JSON.parse(done.output) as {
      valid: boolean;
      diagnostics: { severity: string; summary: string }[];
    };
    const spoken = answer.diagnostics.filter(({ summary }) => !summary.includes("development overrides"));
    expect(spoken).toEqual([]);
    expect(answer.valid).toBe(true);
  });
});
