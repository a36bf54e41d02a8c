/** What a shell script can tell apart; docs/guides/cli.md explains them. */
export const exitCodes = {
  ok: 0,
  /** It was tried and did not work. */
  failed: 1,
  /** A flag, argument, variable or value is wrong: nothing was tried. */
  wrongCall: 2,
  /** It was asked, and the answer is no: not running, not ready, not migrated, not healthy. */
  no: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An end that is explained by its message alone: one line, no stack. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The exit code and the line for whatever was thrown. */
export function explain(error: unknown): { message: string; exitCode: ExitCode } {
  if (error instanceof CommandFailure) return { message: error.message, exitCode: error.exitCode };
  if (!(error instanceof Error)) return { message: String(error), exitCode: exitCodes.failed };
  // Errors of the server are told by their code, so that this file need not load the server.
  const wrongCall = error.name === "PlinthError" && "code" in error && error.code === "invalid_parameter";
  return { message: error.message, exitCode: wrongCall ? exitCodes.wrongCall : exitCodes.failed };
}
