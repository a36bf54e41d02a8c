import { StoreError } from "../../modules/pipelines/index.ts";
import type { ErrorCode } from "../../kernel/errors.ts";
import { ZenmlError } from "./errors.ts";

type Answer = readonly [code: ErrorCode, status: number, exception: string];
type Answers = Readonly<Record<StoreError["kind"], Answer>>;

/** Where artifacts are read. What would fail again has no status that clients repeat. */
const ofArtifacts: Answers = {
  missing: ["not_found", 404, "DoesNotExistException"],
  outside: ["not_found", 404, "DoesNotExistException"],
  local: ["invalid_state", 403, "IllegalOperationError"],
  unsupported: ["not_implemented", 501, "NotImplementedError"],
  refused: ["not_implemented", 501, "NotImplementedError"],
  rate_limited: ["too_many_requests", 429, "MaxConcurrentTasksError"],
  unreachable: ["unavailable", 503, "RuntimeError"],
};

/** Where logs are read there are exceptions for it. */
const ofLogs: Answers = {
  ...ofArtifacts,
  refused: ["unavailable", 502, "LogStoreError"],
  rate_limited: ["too_many_requests", 429, "LogStoreRateLimitError"],
  unreachable: ["unavailable", 503, "LogStoreUnavailableError"],
};

const told =
  (answers: Answers) =>
  async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw error instanceof StoreError ? zenmlErrorOf(error, answers) : error;
    }
  };

/** What stores say, in the words of ZenML's clients. */
export const toldOfArtifacts = told(ofArtifacts);
export const toldOfLogs = told(ofLogs);

function zenmlErrorOf(error: StoreError, answers: Answers): ZenmlError {
  const { kind, message, retryAfterSeconds } = error;
  const [code, status, exception] = answers[kind];
  return new ZenmlError(code, message, { status, body: { detail: [exception, message] }, retryAfterSeconds });
}

export const doesNotExist = (message: string): ZenmlError =>
  new ZenmlError("not_found", message, { status: 404, body: { detail: ["DoesNotExistException", message] } });
