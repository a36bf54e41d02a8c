import { containersOf, podTemplate } from "../schemas/kubernetes-syntax.ts";
import { isRecord } from "./plain-values.ts";
import { commandsOf } from "./shell.ts";
import type { Command, Located, Path, Workspace } from "./workspace.ts";

/** Commands that stand in YAML: of containers, of the steps of a CI workflow, of Ansible tasks. */
export function embeddedCommands(workspace: Workspace): Command[] {
  return [
    ...workspace.manifests.flatMap((manifest) => {
      const template = podTemplate(manifest.value);
      return template === undefined
        ? []
        : containersOf(template).flatMap(({ value, path }) => containerCommands(manifest, value, path));
    }),
    ...workspace.documents.flatMap((document) => [...workflowCommands(document), ...taskCommands(document)]),
  ];
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string") ? value : [];

function containerCommands(of: Located, container: Record<string, unknown>, path: Path): Command[] {
  const words = [
    ...strings(container["command"]).map((text, index) => ({ text, at: [...path, "command", index] })),
    ...strings(container["args"]).map((text, index) => ({ text, at: [...path, "args", index] })),
  ];
  const [first] = words;
  if (first === undefined) return [];
  const script = words.findIndex(({ text }) => /^-[a-z]*c$/.test(text)) + 1;
  const shell = /(?:^|\/)(?:ba|da|a|z)?sh$/.test(first.text) && script > 0 ? words[script] : undefined;
  if (shell !== undefined) return scriptCommands(of, shell.at, shell.text);
  const { file } = of;
  const text = words.map((word) => word.text).join(" ");
  return [{ file, line: of.lineOf(first.at), words: words.map((word) => word.text), text }];
}

/** A text of several lines begins on the line after its `|`. */
function scriptCommands(of: Located, at: Path, script: string): Command[] {
  const line = of.lineOf(at);
  return commandsOf(script, of.file, script.includes("\n") ? line + 1 : line);
}

/** `jobs.*.steps[].run` of GitHub, Gitea and Forgejo; `script` of GitLab's jobs. */
function workflowCommands(document: Located): Command[] {
  const { value } = document;
  if (!isRecord(value)) return [];
  if (isRecord(value["jobs"])) {
    return Object.entries(value["jobs"]).flatMap(([name, job]) => {
      const steps: unknown = isRecord(job) ? job["steps"] : undefined;
      return (Array.isArray(steps) ? steps : []).flatMap((step: unknown, index) =>
        isRecord(step) && typeof step["run"] === "string"
          ? scriptCommands(document, ["jobs", name, "steps", index, "run"], step["run"])
          : [],
      );
    });
  }
  if (!/\.gitlab-ci\.ya?ml$/.test(document.file)) return [];
  return Object.entries(value).flatMap(([job, body]) =>
    isRecord(body)
      ? strings(body["script"]).flatMap((line, index) =>
          scriptCommands(document, [job, "script", index], line),
        )
      : [],
  );
}

/** `shell` and `command` of the tasks of a playbook or role. */
function taskCommands(document: Located): Command[] {
  if (!Array.isArray(document.value)) return [];
  return document.value.flatMap((task: unknown, index) =>
    isRecord(task)
      ? ["shell", "command", "ansible.builtin.shell", "ansible.builtin.command"].flatMap((key) => {
          const script = task[key];
          return typeof script === "string" ? scriptCommands(document, [index, key], script) : [];
        })
      : [],
  );
}
