import {
  lineCounts,
  outputFolder,
  planFolder,
  unifiedDiff,
  writeFolder,
  type CheckedEnvironment,
  type Conflict,
} from "@plinth/infra";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { findingLines, hasErrors, readEnvironment } from "./project.ts";

/** Writes the files of an environment. When anything is wrong, nothing is written. */
export async function synth(call: Call): Promise<ExitCode> {
  const { options, output } = call;
  const ready = await readyEnvironment(call);
  if (ready === undefined) return exitCodes.failed;
  const { checked, folder } = ready;
  const { changes, conflicts, unchanged } = planFolder(folder, checked.files, checked.name);
  if (conflicts.length > 0 && options["overwrite"] !== true) {
    output.answer({ written: [], conflicts }, [
      ...conflictLines(folder, conflicts),
      "Nothing was written. `plinth diff` shows what would change; --overwrite replaces them.",
    ]);
    return exitCodes.failed;
  }
  const blocked = conflicts.filter(({ reason }) =>
    /link|should be a folder|something else|environment "/.test(reason),
  );
  if (blocked.length > 0) throw new CommandFailure(conflictLines(folder, blocked).join("; "));
  writeFolder(folder, checked.files, { environment: checked.name, changes });
  const count = (kind: string): number => changes.filter((change) => change.kind === kind).length;
  output.answer(
    {
      folder,
      added: paths(changes, "added"),
      changed: paths(changes, "changed"),
      removed: paths(changes, "removed"),
      unchanged,
    },
    [
      `${folder}: ${count("added")} files added, ${count("changed")} changed, ${count("removed")} removed, ${unchanged} as they were.`,
      `Next: read ${folder}/README.md, then commit.`,
    ],
  );
  return exitCodes.ok;
}

const paths = (changes: readonly { path: string; kind: string }[], kind: string): string[] =>
  changes.filter((change) => change.kind === kind).map(({ path }) => path);

/** What `synth` would change, as a unified diff. */
export async function diff(call: Call): Promise<ExitCode> {
  const { options, output } = call;
  const ready = await readyEnvironment(call);
  if (ready === undefined) return exitCodes.failed;
  const { checked, folder } = ready;
  const { changes, conflicts } = planFolder(folder, checked.files, checked.name);
  const lines =
    options["stat"] === true
      ? changes.map((change) => {
          const { added, removed } = lineCounts(change);
          return `${change.kind.padEnd(8)} +${added} -${removed}  ${change.path}`;
        })
      : unifiedDiff(changes).split("\n");
  output.answer(
    {
      folder,
      changes: changes.map((change) => ({ path: change.path, kind: change.kind, ...lineCounts(change) })),
      conflicts,
    },
    changes.length === 0 ? ["Nothing would change."] : [...lines, ...conflictLines(folder, conflicts)],
  );
  return options["exitCode"] === true && changes.length > 0 ? exitCodes.failed : exitCodes.ok;
}

const conflictLines = (folder: string, conflicts: readonly Conflict[]): string[] =>
  conflicts.map(({ path, reason }) => `${folder}/${path}: ${reason}`);

type Ready = { checked: CheckedEnvironment; folder: string };

/** The environment of the call, when its checks pass; else the findings were printed. */
async function readyEnvironment({ options, output }: Call): Promise<Ready | undefined> {
  const { project, checked } = await readEnvironment(options);
  if (hasErrors(project.findings) || checked?.environment === undefined) {
    output.answer({ findings: project.findings }, [
      ...findingLines(project.findings),
      "Nothing was written.",
    ]);
    return undefined;
  }
  for (const line of project.findings.length > 0 ? findingLines(project.findings) : []) output.progress(line);
  const folder = (options["out"] as string | undefined) ?? outputFolder(project.file, checked.environment);
  return { checked, folder };
}
