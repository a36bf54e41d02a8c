// What of whole outputs is neither YAML nor Terraform: shell, make and the commands that people are told to paste.
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandsIn, complaintsOf, complaintsOfKubectl } from "./clients.ts";
import { filesOf, readOutputs, type Output } from "./outputs.ts";
import { remarksOn, type Snippet } from "./shell.ts";
import { ensureMake } from "./tools.ts";

ensureMake();

const outputs = readOutputs();
const read = (output: Output, path: string): string => readFileSync(join(output.folder, path), "utf8");

/** The fenced blocks of a document that are shell. */
function blocksOf(output: Output, path: string): Snippet[] {
  const found = read(output, path).matchAll(/^```(?:bash|sh|shell)\n(.*?)^```/gms);
  // Each is pasted by itself: variables are set in one and used in another, places are named in capitals.
  const except = ["SC2034", "SC2154", "SC2164"];
  return [...found].map(([, text = ""], index) => ({
    place: `${path} ${index + 1}`,
    shell: "bash",
    text,
    except,
  }));
}

const make = (output: Output, args: readonly string[]): { code: number | null; output: string } => {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" };
  const done = spawnSync("make", [...args, "KUBE_CONTEXT=test"], {
    cwd: output.folder,
    env,
    encoding: "utf8",
  });
  if (done.error) throw done.error;
  return { code: done.status, output: `${done.stdout}${done.stderr}` };
};

const targetsOf = (output: Output): string[] => {
  const listed = make(output, ["help"]).output.matchAll(/^ {2}([a-z][a-z0-9-]*) /gm);
  return [...listed].map(([, target = ""]) => target);
};

test("ShellCheck sees a mistake where there is one", async () => {
  const remarks = await remarksOn([{ place: "here", shell: "sh", text: "rm -r $folder/*\n" }]);
  expect(remarks.join("\n")).toMatch(/^here 1:\d+: .*SC2086/m);
});

test("a client's parser refuses what it does not know", async () => {
  const wrong = [
    ["connect", "--token=x"],
    ["stack", "set", "prod"],
  ];
  const [complaint = "", ...others] = await complaintsOf("zenml", wrong);
  expect(complaint).toMatch(/^zenml connect --token=x: No such/);
  expect(others).toEqual([]);
});

/** Every command that an output shows, prints or runs. */
function commandTexts(output: Output): string {
  const blocks = filesOf(output, ".md").flatMap((path) => blocksOf(output, path));
  const printed = filesOf(output, "outputs.tf").flatMap((path) =>
    [...read(output, path).matchAll(/"((?:zenml|mlflow|kubectl) (?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
      text.replaceAll(/\\(.)/g, "$1"),
    ),
  );
  const recipes = targetsOf(output).map(
    (target) => make(output, ["--dry-run", "--no-print-directory", target]).output,
  );
  return [...blocks.map(({ text }) => text), ...printed, ...recipes].join("\n");
}

test("ZenML's and MLflow's own parsers take the commands that outputs print", async () => {
  const texts = outputs.map(commandTexts).join("\n");
  const zenml = commandsIn("zenml", texts);
  expect(zenml.length).toBeGreaterThan(0);
  expect(await complaintsOf("zenml", zenml)).toEqual([]);
  expect(await complaintsOf("mlflow", commandsIn("mlflow", texts))).toEqual([]);
});

test("kubectl takes the commands that outputs print", async () => {
  const [complaint = "", ...others] = await complaintsOfKubectl([
    ["get", "pods", "--outptu=json"],
    ["get", "pods"],
  ]);
  expect(complaint).toContain("unknown flag: --outptu");
  expect(others).toEqual([]);
  const commands = commandsIn("kubectl", outputs.map(commandTexts).join("\n"));
  const different = [...new Map(commands.map((one) => [one.join(" "), one])).values()];
  expect(different.length).toBeGreaterThan(10);
  expect(await complaintsOfKubectl(different)).toEqual([]);
});

describe.each(outputs)("$name", (output) => {
  test("its scripts pass ShellCheck and can be run", async () => {
    const scripts = filesOf(output, ".sh");
    const snippets = scripts.map((path): Snippet => ({
      place: path,
      shell: "bash",
      text: read(output, path),
    }));
    expect(await remarksOn(snippets)).toEqual([]);
    for (const path of scripts) expect(statSync(join(output.folder, path)).mode & 0o111, path).toBe(0o111);
  });

  test("the commands of its documents are shell", async () => {
    const documents = filesOf(output, ".md");
    expect(documents.length).toBeGreaterThan(0);
    expect(await remarksOn(documents.flatMap((path) => blocksOf(output, path)))).toEqual([]);
  });

  test("make lists its targets, and knows how to make each", async () => {
    const targets = targetsOf(output);
    for (const wanted of ["gitops-deploy-mlops-stack", "gitops-status", "validate"])
      expect(targets).toContain(wanted);
    const recipes = targets
      .filter((target) => target !== "help")
      .map((target) => ({ target, ...make(output, ["--dry-run", "--no-print-directory", target]) }));
    expect(
      recipes.filter(({ code, output: text }) => code !== 0 || /^(make|Makefile):?/m.test(text)),
    ).toEqual([]);
    const snippets = recipes.map(({ target, output: text }): Snippet => ({
      place: `make ${target}`,
      shell: "bash",
      text,
    }));
    expect(await remarksOn(snippets)).toEqual([]);
  });

  test("every target that its documents name is there", () => {
    const targets = new Set(targetsOf(output));
    const named = filesOf(output, ".md")
      .flatMap((path) => blocksOf(output, path))
      .flatMap(({ text }) =>
        [...text.matchAll(/^make ([a-z][a-z0-9-]*)/gm)].map(([, target = ""]) => target),
      );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((target) => !targets.has(target))).toEqual([]);
  });

  test("every output of Terraform that its commands ask for is there", () => {
    const texts = [...filesOf(output, ".md"), ...filesOf(output, ".sh"), "Makefile"].map((path) =>
      read(output, path),
    );
    const asked = texts.flatMap((text) => [
      ...text.matchAll(/terraform -chdir=(?<folder>\S+) output (?:-\w+ )*(?<name>[a-z]\w+)/g),
    ]);
    const missing = asked
      .map(({ groups }) => ({ folder: groups?.["folder"] ?? "", name: groups?.["name"] ?? "" }))
      .filter(({ folder, name }) => !read(output, join(folder, "outputs.tf")).includes(`output "${name}"`));
    expect(missing).toEqual([]);
  });
});
