import { CommandFailure, exitCodes } from "./failure.ts";

/** Whether there is somebody to ask. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const BACKSPACES = new Set(["\u007f", "\b"]);

/** Asks on the terminal for what must not be seen. */
export async function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  try {
    return await new Promise<string>((done, fail) => {
      let typed = "";
      const end = (act: () => void): void => {
        stdin.off("data", onData);
        act();
      };
      const onData = (chunk: string): void => {
        for (const character of chunk) {
          if (character === "\r" || character === "\n") return end(() => done(typed));
          if (character === CTRL_C || (character === CTRL_D && typed === "")) {
            return end(() => fail(new CommandFailure("Given up.", exitCodes.failed)));
          }
          if (BACKSPACES.has(character)) typed = typed.replace(/.$/su, "");
          else if (character >= " ") typed += character;
        }
      };
      stdin.on("data", onData);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

/** Asks for a line that may be seen. */
export async function ask(question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}

/** The first line of standard input, for scripts: `--password-stdin`. */
export async function readSecretFromStdin(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > 64 * 1024) break;
  }
  return text.split(/\r?\n/, 1)[0] ?? "";
}
