import { exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { checkDatabase } from "./doctor-database.ts";
import { checkIdentity } from "./doctor-identity.ts";
import { checkBinaries, checkDataFolder, checkLimits, checkNode, checkPorts } from "./doctor-machine.ts";

export type Finding = {
  check: string;
  level: "ok" | "warning" | "problem";
  /** What was seen. */
  saw: string;
  /** What to do about it, when there is something. */
  remedy?: string;
};

/** Looks at everything a start depends on, without changing anything, and says what to do. */
export async function doctor({ flags, output }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const findings: Finding[] = [
    checkNode(),
    ...(config.databaseUrl === undefined ? [checkBinaries()] : []),
    ...checkDataFolder(config.dataDir),
    ...(await checkPorts(config)),
    ...checkLimits(),
    ...(await checkDatabase(config)),
    ...(await checkIdentity(config)),
  ];
  const problems = findings.filter((finding) => finding.level === "problem").length;
  const warnings = findings.filter((finding) => finding.level === "warning").length;
  const marks = { ok: "ok  ", warning: "WARN", problem: "FAIL" };
  output.answer({ healthy: problems === 0, findings }, [
    ...findings.flatMap(({ check, level, saw, remedy }) => [
      `${marks[level]}  ${check}: ${saw}`,
      ...(remedy === undefined ? [] : [`      -> ${remedy}`]),
    ]),
    "",
    problems + warnings === 0 ? "All is well." : `${problems} to fix, ${warnings} to look at.`,
  ]);
  return problems === 0 ? exitCodes.ok : exitCodes.no;
}
