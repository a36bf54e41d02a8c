// Stages of whole outputs, planned and applied by Terraform itself. Its providers have the schemas of the real ones and no
// cloud behind them: what this judges is Terraform's part, that every reference resolves in every module, that nothing waits for
// itself, that no secret gets where it may not be, that one apply is enough and a second one changes nothing.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readOutputs } from "./outputs.ts";
import { ensurePrograms, findTerraform } from "./tools.ts";

const terraform = findTerraform();
const work = mkdtempSync(join(tmpdir(), "plinth-stages-"));
const schemas = join(import.meta.dirname, "..", "..", "infra", "data", "terraform");
const stages = ["cluster", "platform", "stacks"] as const;

beforeAll(async () => {
  const program = join(await ensurePrograms("providers"), "providers");
  const overrides = [...sources()].map((source) => {
    copyFileSync(program, join(work, `terraform-provider-${source.split("/")[1]}`));
    return `    "${source}" = ${JSON.stringify(work)}`;
  });
  const installation = `dev_overrides {\n${overrides.join("\n")}\n  }\n  direct {}`;
  writeFileSync(
    join(work, "terraform.rc"),
    `disable_checkpoint = true\nprovider_installation {\n  ${installation}\n}\n`,
  );
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Every provider that any of the outputs asks for. */
function sources(): Set<string> {
  const texts = readOutputs().flatMap(({ folder }) => textsOf(join(folder, "terraform")));
  const found = texts.flatMap((text) => [...text.matchAll(/^\s+source\s+=\s+"([\w-]+\/[\w-]+)"$/gm)]);
  return new Set(found.map(([, source]) => source ?? ""));
}

const textsOf = (folder: string): string[] =>
  globSync("**/*.tf", { cwd: folder }).map((path) => readFileSync(join(folder, path), "utf8"));

type Done = { code: number | null; output: string };

function run(args: readonly string[], folder: string): Done {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: work,
    TF_CLI_CONFIG_FILE: join(work, "terraform.rc"),
    TF_IN_AUTOMATION: "1",
    PLINTH_TERRAFORM_SCHEMAS: schemas,
  };
  const done = spawnSync(terraform ?? "", args, { cwd: folder, env, encoding: "utf8" });
  return { code: done.status, output: `${done.stdout}${done.stderr}` };
}

/** Values for the variables that somebody must give. */
function given(folder: string): string[] {
  const texts = globSync("*.tf", { cwd: folder }).map((path) => readFileSync(join(folder, path), "utf8"));
  return texts
    .flatMap((text) => [...text.matchAll(/^variable "(\w+)" \{\n(.*?)^\}/gms)])
    .filter(([, , body = ""]) => !/^ {2}default\s+=/m.test(body))
    .map(([, name]) => `-var=${name}=given`);
}

describe.each([...readOutputs()])("$name", ({ name, folder }) => {
  const copy = join(work, name);
  const existing = stages.filter((stage) => existsSync(join(folder, "terraform", stage)));
  beforeAll(() => {
    cpSync(folder, copy, { recursive: true });
    for (const stage of existing) {
      const root = join(copy, "terraform", stage);
      // The state stays beside the files, of this stage and of those it reads.
      rmSync(join(root, "backend.tf"), { force: true });
      for (const earlier of stages.filter((one) => textsHave(root, `"terraform_remote_state" "${one}"`))) {
        const local = `  backend = "local"\n  config  = { path = "../${earlier}/terraform.tfstate" }\n`;
        writeFileSync(
          join(root, `${earlier}_override.tf`),
          `data "terraform_remote_state" "${earlier}" {\n${local}}\n`,
        );
      }
    }
  });

  test.for(existing)("%s is applied at once, and a second plan changes nothing", (stage, context) => {
    if (terraform === undefined) return context.skip("there is no terraform on the PATH");
    const root = join(copy, "terraform", stage);
    expect(run(["get"], root)).toMatchObject({ code: 0 });
    const values = given(root);
    const applied = run(["apply", "-auto-approve", "-input=false", "-no-color", ...values], root);
    expect(applied.code, applied.output).toBe(0);
    expect(applied.output).toContain("Apply complete!");
    const planned = run(["plan", "-detailed-exitcode", "-input=false", "-no-color", ...values], root);
    expect(planned.code, planned.output).toBe(0);
  });
});

const textsHave = (folder: string, text: string): boolean =>
  textsOf(folder).some((one) => one.includes(text));
