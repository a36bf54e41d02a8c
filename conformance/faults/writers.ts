// Writers side by side that note what was acknowledged, until the server or the test ends them.
import { createClient, type Answer, type Client, type Run } from "./client.ts";
import type { Random } from "./random.ts";
import { BATCH_POINTS, requestOf, type Write } from "./write.ts";

export type Ledger = {
  acknowledged: Write[];
  /** No answer, or one that says to try again: it may or may not be there. */
  uncertain: Write[];
  /** Answers that are neither success nor "try again". */
  wrong: string[];
};

export const createLedger = (): Ledger => ({ acknowledged: [], uncertain: [], wrong: [] });

export type Work = { experiment: string; runs: readonly Run[]; random: Random; ledger: Ledger };

/** What a writer does when no whole answer came: go on with a new connection, or end. */
export type Policy = {
  onLostConnection: "end" | "go on";
  /** An answer that announces the end of the connection ends the writer too. */
  endsWithConnection?: boolean;
};

export type Writers = {
  /** Lets each writer finish its request. */
  stop: () => Promise<void>;
  /** Resolves when all have ended by themselves. */
  ended: Promise<void>;
};

const WRITERS = 16;

export function startWriters(url: string, work: Work, policy: Policy): Writers {
  const state = { isStopping: false, next: 0 };
  const ended = Promise.all(
    Array.from({ length: WRITERS }, async () => {
      const client = createClient(url);
      try {
        while (!state.isStopping) {
          if (!(await writeOne(client, nextWrite(work, (state.next += 1)), work.ledger, policy))) return;
        }
      } finally {
        client.close();
      }
    }),
  ).then(() => undefined);
  return {
    ended,
    async stop() {
      state.isStopping = true;
      await ended;
    },
  };
}

/** True when the writer may go on. */
async function writeOne(client: Client, write: Write, ledger: Ledger, policy: Policy): Promise<boolean> {
  const { method, path, body } = requestOf(write);
  let answer: Answer;
  try {
    answer = await client.send(method, path, body);
  } catch {
    ledger.uncertain.push(write);
    // A server that is away is not asked a thousand times a second.
    await new Promise((done) => setTimeout(done, 20));
    return policy.onLostConnection === "go on";
  }
  if (answer.status === 200) {
    ledger.acknowledged.push(write);
  } else {
    ledger.uncertain.push(write);
    const complaint = complaintAbout(answer);
    if (complaint !== undefined) ledger.wrong.push(`${method} ${path}: ${complaint}`);
    await new Promise((done) => setTimeout(done, 20));
  }
  return !(policy.endsWithConnection === true && answer.closes);
}

/** The statuses that MLflow's client sends again, in MLflow's error format. */
const RETRYABLE: Readonly<Record<number, readonly string[]>> = {
  429: ["REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"],
  503: ["TEMPORARILY_UNAVAILABLE"],
};

/** What is wrong with an answer that is not a success; nothing when it tells the client to try again. */
export function complaintAbout(answer: Answer): string | undefined {
  const text = answer.body.toString("utf8");
  const codes = RETRYABLE[answer.status];
  if (codes === undefined) return `${answer.status} ${text}`;
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code: string; message: string };
    if (codes.includes(code) && message !== "") return undefined;
  } catch {
    // Not JSON.
  }
  return `${answer.status} without MLflow's error: ${text}`;
}

function nextWrite({ random, runs, experiment }: Work, number: number): Write {
  const run = runs[random.below(runs.length)];
  if (run === undefined) throw new Error("writers need a run");
  const dice = random.next();
  if (dice < 0.4) return { kind: "metric", run, step: number };
  if (dice < 0.6) return { kind: "batch", run, first: number * BATCH_POINTS };
  if (dice < 0.7) return { kind: "param", run, key: `param-${number}` };
  if (dice < 0.8) return { kind: "tag", run, key: `tag-${number}` };
  if (dice < 0.9) return { kind: "run", experiment, name: `created-${number}` };
  // Both sides of the size up to which small objects live in their row.
  return { kind: "artifact", run, name: `file-${number}.bin`, size: 1 + random.below(40_000) };
}
