// Where Plinth answers otherwise than `mlflow server` 3.17.2 on purpose. Every entry has a reason; an entry that
// is not needed any more fails. Four rules need no entry: `error_class` and `sqlstate` are not compared, an HTML page
// of upstream's framework counts by its status alone, where upstream's message ends in SQL text ours must begin with
// the same words and show no SQL, and messages that go on with what upstream's libraries made of the input
// (`echoingMessages`) are compared up to there.
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
        /** Names of what a search must find. */
        readonly finds?: readonly string[];
      };
    }
);

/** Beginnings of messages; what follows lists sqlparse's tokens, bytes of a token, or Python's own error text. */
export const echoingMessages: readonly string[] = [
  "Invalid clause(s) in filter string",
  "Invalid filter string",
  "Invalid page token",
];

const refused = { status: 400, error_code: "INVALID_PARAMETER_VALUE" } as const;

const rootedPaths = [
  "/etc/passwd",
  "%2fetc%2fpasswd",
  "%252fetc%252fpasswd",
  "//proc/self/root/etc/passwd",
  "file%3a%2f%2f%2fetc%2fpasswd",
];
const namelessPaths = [
  "..%5csecret",
  "..\\secret",
  "%2e%2e%5csecret",
  "a%00b",
  "C:%5cwindows",
  "%c0%ae%c0%ae/secret",
];
const everyWay = ["put", "get", "delete", "list", "list by run", "get-artifact"];

export const differences: readonly Difference[] = [
  {
    at: ["web interface: graphql > no query", "web interface: graphql > no GraphQL"],
    reason: "What is no query is the caller's mistake; upstream answers 500, which clients send again.",
    answers: refused,
  },
  {
    at: ["web interface: graphql > too many root fields"],
    reason: "The limit is the same; upstream's text names an environment variable that Plinth does not read.",
    ignore: "body",
  },
  {
    at: [
      "metrics: log one > value list",
      "metrics: history > bulk, max_results as a word",
      "log-batch: items that cannot be read > metrics of numbers",
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
    at: [
      "log-batch: items that cannot be read > metrics null",
      "runs: search scope and pages > max_results null",
    ],
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
      "artifacts: a file and a folder of one name > over a folder",
      "artifacts: a file and a folder of one name > below a file",
    ],
    reason: "upstream's file system cannot hold a file and a folder of one name (500); an object store can",
    answers: { status: "below 500" },
  },
  {
    at: rootedPaths.flatMap((path) => [
      `artifacts: paths that climb > put ${path}`,
      `artifacts: paths that climb > get ${path}`,
    ]),
    reason:
      "upstream's file system fails on the doubled slash with 500; to Plinth it is a name like any other",
    answers: { status: "below 500" },
  },
  {
    at: namelessPaths.flatMap((path) =>
      everyWay.map((way) => `artifacts: paths that climb > ${way} ${path}`),
    ),
    reason:
      "a backslash climbs out of the folder that a client on Windows downloads to; a null byte or broken UTF-8 is no name",
    answers: { status: 400 },
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
    at: [
      "experiments: create > a location on an http host",
      "experiments: create > a location on ftp",
      "experiments: create > the location 'hdfs://host/folder'",
      "experiments: create > the location 'mlflow-artifacts://elsewhere:5000/folder'",
      "wire: methods and routes > a query that is not UTF-8",
      "wire: bodies > a lone surrogate",
      "logged models: search > page 2 of another question",
    ],
    reason:
      "other words for the same fault: no advice about upstream's environment variables, the input as sent",
    ignore: "message",
  },
  {
    at: ["file:///etc", "/etc/passwd", "relative/folder", "models:/name/1"].map(
      (location) => `experiments: create > the location '${location}'`,
    ),
    reason:
      "upstream takes what names a folder of the server, or nothing that holds files; Plinth never does",
    answers: refused,
  },
  {
    at: ["experiments: create > a tag twice"],
    reason: "upstream blames the experiment's name, which is free",
    answers: refused,
  },
  {
    at: ["experiments: rename, delete and restore > rename to a taken name"],
    reason: "upstream answers BAD_REQUEST with SQL text; create has the right code for the same fault",
    answers: { status: 400, error_code: "RESOURCE_ALREADY_EXISTS" },
  },
  {
    at: ["experiments: rename, delete and restore > the run deleted before"],
    reason:
      "upstream's restore brings back every run; Plinth brings back those that went with the experiment, not " +
      "those that somebody had deleted before",
    ignore: "body",
  },
  {
    at: ["runs: create > no experiment", "runs: create > an empty experiment"],
    reason: "upstream answers BAD_REQUEST with SQL text",
    answers: refused,
  },
  {
    at: ["runs: create > a fractional start time"],
    reason: "upstream reads 0 for a fraction here; Plinth cuts it, as upstream does elsewhere",
    answers: { status: 200 },
  },
  {
    at: ["experiments: search > max_results as a fraction"],
    reason: "upstream reads 0 for a fraction here; Plinth cuts it, as upstream does elsewhere",
    answers: { status: 200, finds: ["a"] },
  },
  {
    at: [
      "log-batch: items that cannot be read > a word as value",
      "log-batch: items that cannot be read > a number as param value",
      "runs: create > a start time beyond int64",
    ],
    reason: "upstream answers 200, stores zeros for what it could not read and drops what comes after it",
    answers: refused,
  },
  {
    at: ["runs: create > a tag key of 251 characters"],
    reason: "upstream checks tags only when they are set later; its own PostgreSQL schema refuses this one",
    answers: refused,
  },
  {
    at: ["runs: create > a tag value of 8001 characters"],
    reason: "upstream cuts a long value only when the tag is set later; Plinth cuts it here too",
    answers: { status: 200 },
  },
  {
    at: [
      "experiments: create > a location with a query",
      "experiments: create > a location that climbs",
      "experiments: create > a location that climbs, encoded",
      "experiments: create > the location 's3://bucket/../folder'",
    ],
    reason: "upstream takes the location and fails when the first artifact comes",
    answers: refused,
  },
  {
    at: [
      "logged models: search > status",
      "logged models: search > status by its long name",
      "logged models: search > metric of a dataset",
    ],
    reason: "upstream documents both filters but finds nothing by them",
    answers: { status: 200, finds: ["beta"] },
  },
  {
    at: [
      "metrics: values that cannot be read > step beyond int64",
      "metrics: values that cannot be read > timestamp beyond int64",
      "metrics: values that cannot be read > value nan in lower case",
      "metrics: values that cannot be read > value inf in short",
    ],
    reason: "upstream answers 200 and stores zeros in place of what it could not read",
    answers: refused,
  },
  {
    at: ["metrics: for models and datasets > of an unknown model"],
    reason: "upstream answers BAD_REQUEST with SQL text",
    answers: { status: 404, error_code: "RESOURCE_DOES_NOT_EXIST" },
  },
  {
    at: ["inputs: datasets > search datasets: under api"],
    reason: "upstream's route lacks a slash under /api by mistake; Plinth answers under both prefixes",
    answers: { status: 200 },
  },
  {
    at: ["inputs and outputs: models > the output again"],
    reason: "upstream answers BAD_REQUEST with SQL text to a repeated request; Plinth lets a retry succeed",
    answers: { status: 200 },
  },
  {
    at: [
      "logged models: create and get > a name of 501 characters",
      "logged models: search > max_results -1",
      "logged models: change > finalize with another id in the body",
    ],
    reason: "upstream forgets to check; on PostgreSQL the long name is a database error",
    answers: refused,
  },
  {
    at: ["logged models: change > delete a tag with a slash"],
    reason: "upstream's router cannot reach a tag whose key holds a slash",
    answers: { status: 200 },
  },
  {
    at: ["wire: bodies > a null character", "runs: search filters that are wrong > a null byte"],
    reason: "PostgreSQL text holds no null character; SQLite's does",
    answers: refused,
  },
  {
    at: ["artifacts: put, get, list, delete > get beyond the end"],
    reason: "the same status; Plinth says how long the artifact is",
    ignore: "body",
  },
  {
    at: ["wire: content types > JSON in capitals"],
    reason: "media types are case-insensitive (RFC 9110, 8.3.1)",
    answers: { status: 200 },
  },
  {
    at: ["wire: methods and routes > a double slash", "wire: methods and routes > an encoded route"],
    reason: "upstream's framework redirects or decodes; no client sends it",
    answers: { status: 404 },
  },
  {
    at: ["wire: methods and routes > OPTIONS"],
    reason: "upstream answers a browser's question about other origins; Plinth serves its own origin only",
    answers: { status: "4xx" },
  },
  {
    at: ["wire: methods and routes > a bad percent sign"],
    reason: "an address that cannot be decoded is a bad request",
    answers: { status: 400 },
  },
  {
    at: ["wire: methods and routes > HEAD of a GET"],
    reason: "upstream reads the query of a HEAD as a body and refuses it; HEAD is GET without a body",
    answers: { status: 200 },
  },
];
