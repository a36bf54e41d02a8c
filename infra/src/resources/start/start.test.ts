import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Plan } from "../../plan.ts";
import { bodiesOf, filesOf, planFor, situation, situations, terraformOf } from "../stage-harness.ts";
import { resourcesOf, type OutputFile } from "../../synth.ts";
import { startFiles } from "./start.ts";

const hasMake = spawnSync("make", ["--version"]).status === 0;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function written(files: readonly OutputFile[]): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-start-"));
  folders.push(folder);
  for (const { path, text, executable } of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    if (executable) chmodSync(join(folder, path), 0o755);
  }
  return folder;
}

const textOf = (files: readonly OutputFile[], path: string): string =>
  files.find((file) => file.path === path)?.text ?? "";

/** Commands of a README: the lines of its blocks of shell. */
const commandsOf = (readme: string): string[] =>
  [...readme.matchAll(/```bash\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.trimEnd().split("\n"));

describe.each(situations)("%s", (_, name, settings) => {
  const plan = planFor(name, settings);
  const files = filesOf(plan);
  const makefile = textOf(files, "Makefile");
  const readme = textOf(files, "README.md");
  const targets = [...makefile.matchAll(/^([a-z][a-z0-9-]*):.*## /gm)].map(([, target = ""]) => target);

  test("make plans every target, and lists them", (context) => {
    if (!hasMake) return context.skip("there is no make on the PATH");
    const folder = written(files);
    const parts = /^PARTS := (.*)$/m.exec(makefile)?.[1]?.split(" ") ?? [];
    const make = (...words: string[]): string =>
      execFileSync("make", ["-C", folder, ...words], {
        encoding: "utf8",
        env: { ...process.env, KUBE_CONTEXT: "here" },
      });
    const all = [...targets, ...parts.map((part) => `gitops-deploy-${part}`)];
    const plans = make("--dry-run", "--warn-undefined-variables", ...all);
    expect(plans).toContain("kubectl kustomize");
    expect(plans).not.toMatch(/kubectl (?!--context "here"|kustomize)/);
    const listed = make("help");
    for (const target of targets) expect(listed).toContain(target);
  });

  test("files that commands name are there", () => {
    const there = new Set(files.map(({ path }) => path));
    const parts = /^PARTS := (.*)$/m.exec(makefile)?.[1]?.split(" ") ?? [];
    for (const part of parts) expect(there).toContain(`k8s-manifests/argocd-apps/${part}-app.yaml`);
    for (const [, path = ""] of makefile.matchAll(/(k8s-manifests\/[\w./-]+\.yaml)/g))
      expect(there).toContain(path);
    for (const [, folder = ""] of makefile.matchAll(/--kustomize (\S+)/g)) {
      expect(there).toContain(`${folder}/kustomization.yaml`);
    }
    for (const [, script = ""] of makefile.matchAll(/^\t(scripts\/\S+)/gm)) expect(there).toContain(script);
  });

  test("the README names targets, files and outputs that are there", () => {
    for (const command of commandsOf(readme)) {
      const target = /^make ([a-z-]+)$/.exec(command)?.[1];
      if (target !== undefined) expect([...targets, "help"]).toContain(target);
      const output = /^terraform -chdir=(\S+) output (?:-raw )?(\w+)$/.exec(command);
      if (output !== null) {
        const outputs = terraformOf(resourcesOf(plan.environment)).filter(
          ({ file }) => file === `${output[1]}/outputs.tf`,
        );
        expect([...bodiesOf(outputs, "output").keys()]).toContain(output[2]);
      }
    }
    expect(readme).not.toMatch(/undefined|\[object|NaN/);
  });

  test("every shell line can be read by bash", () => {
    for (const { path, text } of files.filter((file) => file.path.endsWith(".sh"))) {
      expect(() => execFileSync("bash", ["-n"], { input: text }), path).not.toThrow();
    }
    expect(() => execFileSync("bash", ["-n"], { input: commandsOf(readme).join("\n") })).not.toThrow();
  });

  test("every Secret that is not Terraform's is made by the script or comes from a store", () => {
    const script = textOf(files, "scripts/secrets.sh");
    for (const { namespace, name: secret, writer } of plan.secrets) {
      if (writer === "secrets" && plan.environment.secrets.engine !== "external-secrets") {
        expect(script).toContain(`if missing ${namespace} ${secret}; then`);
      } else {
        expect(script).not.toContain(`if missing ${namespace} ${secret}; then`);
      }
    }
  });
});

/** Stands for the cluster: keeps the Secrets it is given and answers for them, as kubectl does. */
const RECORDER = `#!/usr/bin/env bash
set -euo pipefail
namespace="" words=() output=""
while (($# > 0)); do
  case "$1" in
    --context) shift ;;
    --namespace) namespace="$2"; shift ;;
    --output) output="$2"; shift ;;
    *) words+=("$1") ;;
  esac
  shift
done
printf '%s\\n' "\${words[*]} $output" >>"$CLUSTER/calls"
case "\${words[0]}" in
  create) printf 'kind: Namespace\\n' ;;
  apply)
    text="$(cat)"
    [[ "$text" == *"kind: Namespace"* ]] && exit 0
    name="$(sed -n 's/^  name: //p' <<<"$text")"
    at="$(sed -n 's/^  namespace: //p' <<<"$text")"
    printf '%s\\n' "$text" >"$CLUSTER/$at.$name.yaml"
    ;;
  get)
    file="$CLUSTER/$namespace.\${words[2]}.yaml"
    [[ -e "$file" ]] || exit 0
    if [[ "$output" == name ]]; then
      printf 'secret/%s\\n' "\${words[2]}"
    else
      key="$(sed -n 's/.*index .data "\\([^"]*\\)".*/\\1/p' <<<"$output")"
      sed -n "s/^  $key: //p" "$file" | base64 --decode
    fi
    ;;
esac
`;

function run(plan: Plan): { made(secret: string): Record<string, string>; again(): string; folder: string } {
  const folder = written(filesOf(plan));
  const cluster = join(folder, "cluster");
  mkdirSync(join(folder, "bin"));
  mkdirSync(cluster);
  writeFileSync(join(folder, "bin", "kubectl"), RECORDER, { mode: 0o755 });
  const script = (): string =>
    execFileSync(join(folder, "scripts/secrets.sh"), {
      encoding: "utf8",
      env: {
        ...process.env,
        PATH: `${folder}/bin:${process.env["PATH"]}`,
        CLUSTER: cluster,
        KUBE_CONTEXT: "x",
      },
    });
  script();
  const made = (secret: string): Record<string, string> => {
    const { data } = parse(readFileSync(join(cluster, `${secret}.yaml`), "utf8")) as {
      data: Record<string, string>;
    };
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
    );
  };
  return { made, again: script, folder: cluster };
}

describe("make secrets", () => {
  const { made, again, folder } = run(situation("MinIO"));

  test("makes up values of the right form, the same wherever one is used", () => {
    const minio = made("object-store.minio-root");
    expect(minio["MINIO_ROOT_USER"]).toMatch(/^[a-z]{20}$/);
    expect(minio["MINIO_ROOT_PASSWORD"]).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(made("zenml.zenml-server")["encryption-key"]).toMatch(/^[0-9a-f]{64}$/);
    expect(made("tracking.object-store")).toEqual({
      AWS_ACCESS_KEY_ID: minio["TRACKING_ACCESS_KEY_ID"],
      AWS_SECRET_ACCESS_KEY: minio["TRACKING_SECRET_ACCESS_KEY"],
    });
    expect(made("models.model-storage")["AWS_ACCESS_KEY_ID"]).toBe(minio["MODELS_ACCESS_KEY_ID"]);
    expect(readFileSync(join(folder, "models.model-storage.yaml"), "utf8")).toContain(
      "serving.kserve.io/s3-usehttps: '0'",
    );
  });

  test("leaves what is there, and makes anew what was deleted, in step with the rest", () => {
    const before = made("tracking.object-store");
    expect(again()).toBe("");
    rmSync(join(folder, "tracking.object-store.yaml"));
    expect(again()).toBe("made tracking/object-store\n");
    expect(made("tracking.object-store")).toEqual(before);
  });

  test("no value is a word of a command", () => {
    const calls = readFileSync(join(folder, "calls"), "utf8");
    const values = Object.values(made("object-store.minio-root"));
    for (const value of values) expect(calls).not.toContain(value);
  });
});

test("nothing is made where Terraform and a store make all", () => {
  const files = startFiles(situation("Google Cloud")).map(({ file }) => file);
  expect(files).toEqual(["README.md", "Makefile", ".gitignore"]);
  expect(existsSync(join(written(filesOf(situation("secret store"))), "scripts"))).toBe(false);
});
