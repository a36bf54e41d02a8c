// Where Plinth answers otherwise than `mlflow server` 3.17.2 on purpose. Every entry has a reason; an entry that
// is not needed any more fails. Three rules need no entry: `error_class` and `sqlstate` are not compared, an HTML page
// of upstream's framework counts by its status alone, and where upstream's message ends in SQL text ours must begin
// with the same words and show no SQL.
export type Difference = {
  /** "scenario > step" */
  readonly at: readonly string[];
  readonly reason: string;
} & (
  | { readonly ignore: "message" | "body" | "headers" }
  | {
      readonly answers: {
        /** "below 500" where both accepting and refusing serve the client. */
        readonly status: number | "4xx" | "below 500";
        readonly error_code?: string;
        readonly body?: unknown;
      };
    }
);

const refused = { status: 400, error_code: "INVALID_PARAMETER_VALUE" } as const;

export const differences: readonly Difference[] = [
  {
    at: [
      "metrics: log one > value list",
      "metrics: history > bulk, max_results as a word",
      "log-batch > metrics of numbers",
      "log-model, the older way > JSON, but a list",
      "wire: bodies > a list",
      "wire: bodies > a text",
      "wire: bodies > a number",
      "wire: bodies > true",
    ],
    reason: "upstream answers 500 to a value of the wrong type, and clients retry a 500 seven times",
    answers: refused,
  },
  {
    at: ["log-batch > metrics null", "runs: search scope and pages > max_results null"],
    reason: "upstream answers 500 to a null list or number; proto JSON reads null as absent",
    answers: { status: "below 500" },
  },
  {
    at: ["experiments: get > an id beyond int64"],
    reason: "upstream hands the number to its database, which fails with 500",
    answers: { status: "4xx" },
  },
  {
    at: ["experiments: rename, delete and restore > rename the deleted one"],
    reason: "upstream's INVALID_STATE is a 500, which clients retry",
    answers: { status: 400 },
  },
  {
    at: [
      "runs: search order > order by the same twice",
      "runs: search order > order by start time twice",
      "logged models: search > creation timestamp as text",
      "logged models: search > metric as text",
      "logged models: search > unknown attribute",
    ],
    reason: "upstream answers 500 to what its search grammar does not foresee",
    answers: refused,
  },
  {
    at: [
      "artifacts: put, get, list, delete > over a folder",
      "artifacts: put, get, list, delete > below a file",
    ],
    reason: "upstream's file system cannot hold a file and a folder of one name (500); an object store can",
    answers: { status: "below 500" },
  },
  {
    at: [
      "artifacts: paths that climb > put /etc/passwd",
      "artifacts: paths that climb > put %2fetc%2fpasswd",
      "artifacts: paths that climb > put %252fetc%252fpasswd",
      "artifacts: paths that climb > put //proc/self/root/etc/passwd",
      "artifacts: paths that climb > put file%3a%2f%2f%2fetc%2fpasswd",
    ],
    reason: "upstream answers 500 where its file system refuses the path",
    answers: { status: "below 500" },
  },
  {
    at: ["artifacts: multipart and presigned > create"],
    reason: "upstream on a local folder has no multipart upload (501); Plinth has",
    answers: { status: 200 },
  },
  {
    at: ["artifacts: multipart and presigned > complete", "artifacts: multipart and presigned > abort"],
    reason:
      "upstream on a local folder has no multipart upload (501); Plinth knows that nobody began this one",
    answers: { status: "4xx" },
  },
  {
    at: ["artifacts: multipart and presigned > presigned"],
    reason: "upstream on a local folder has no presigned download (501); Plinth signs its own addresses",
    answers: { status: 200 },
  },
];
