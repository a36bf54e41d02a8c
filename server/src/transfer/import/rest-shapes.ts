import { z } from "zod";

/**
 * What MLflow's REST API answers, as far as an import reads it (`mlflow/protos/service.proto` of 2.9 to 3.17). Unset fields
 * are left out of its answers, 64-bit integers come as numbers, doubles that JSON cannot hold as text.
 */
const int = z
  .union([z.number().int(), z.bigint(), z.string().regex(/^-?\d{1,19}$/)])
  .transform((value): number | bigint => {
    if (typeof value !== "string") return value;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : BigInt(value);
  });

/** Milliseconds since 1970. */
const time = z
  .union([z.number().int(), z.string().regex(/^-?\d{1,16}$/)])
  .transform(Number)
  .refine(Number.isSafeInteger);
const timeOrNull = time.nullish().transform((value) => value ?? null);

const double = z.union([
  z.number(),
  z.bigint().transform(Number),
  z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number),
]);

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
/** What is not set is left out, what is set to nothing is empty: clients see the difference. */
const textOrNull = z
  .string()
  .nullish()
  .transform((value) => value ?? null);

const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const keyValue = z.object({ key: z.string(), value: text });
const stage = z
  .enum(["active", "deleted"])
  .nullish()
  .transform((value) => value ?? "active");
const metric = z.object({
  key: z.string(),
  value: double,
  timestamp: int,
  step: int.nullish().transform((step) => step ?? 0),
});

export const pageToken = z
  .string()
  .nullish()
  .transform((token) => token || undefined);

export const experimentPage = z.object({
  experiments: list(
    z.object({
      experiment_id: z.string().regex(/^\d{1,18}$/),
      name: z.string(),
      artifact_location: text,
      lifecycle_stage: stage,
      creation_time: timeOrNull,
      last_update_time: timeOrNull,
      tags: list(keyValue),
    }),
  ),
  next_page_token: pageToken,
});

const runShape = z.object({
  info: z.object({
    run_id: z.string().nullish(),
    run_uuid: z.string().nullish(),
    experiment_id: z.string(),
    run_name: textOrNull,
    user_id: textOrNull,
    status: z.string(),
    start_time: timeOrNull,
    end_time: timeOrNull,
    artifact_uri: text,
    lifecycle_stage: stage,
  }),
  data: z
    .object({ metrics: list(metric), params: list(keyValue), tags: list(keyValue) })
    .nullish()
    .transform((data) => data ?? { metrics: [], params: [], tags: [] }),
  inputs: z
    .object({
      dataset_inputs: list(
        z.object({
          tags: list(keyValue),
          dataset: z.object({
            name: z.string(),
            digest: z.string(),
            source_type: text,
            source: text,
            schema: textOrNull,
            profile: textOrNull,
          }),
        }),
      ),
      model_inputs: list(z.object({ model_id: z.string() })),
    })
    .nullish()
    .transform((inputs) => inputs ?? { dataset_inputs: [], model_inputs: [] }),
  outputs: z
    .object({
      model_outputs: list(
        z.object({ model_id: z.string(), step: int.nullish().transform((step) => step ?? 0) }),
      ),
    })
    .nullish()
    .transform((outputs) => outputs ?? { model_outputs: [] }),
});

export type RunAnswer = z.output<typeof runShape>;

/** One run by its id. */
export const oneRun = z.object({ run: runShape });

export const runPage = z.object({ runs: list(runShape), next_page_token: pageToken });

const loggedModelStatus: Readonly<Record<string, number>> = {
  LOGGED_MODEL_STATUS_UNSPECIFIED: 0,
  LOGGED_MODEL_PENDING: 1,
  LOGGED_MODEL_READY: 2,
  LOGGED_MODEL_UPLOAD_FAILED: 3,
};

export const loggedModelPage = z.object({
  models: list(
    z.object({
      info: z.object({
        model_id: z.string(),
        experiment_id: z.string(),
        name: text,
        creation_timestamp_ms: time,
        last_updated_timestamp_ms: time,
        artifact_uri: text,
        status: z
          .string()
          .nullish()
          .transform((name) => loggedModelStatus[name ?? ""] ?? 0),
        status_message: textOrNull,
        model_type: textOrNull,
        source_run_id: textOrNull,
        tags: list(keyValue),
      }),
      data: z
        .object({
          params: list(keyValue),
          metrics: list(
            metric.extend({ run_id: text, dataset_name: textOrNull, dataset_digest: textOrNull }),
          ),
        })
        .nullish()
        .transform((data) => data ?? { params: [], metrics: [] }),
    }),
  ),
  next_page_token: pageToken,
});

const version = z.union([z.number().int().positive(), z.string().regex(/^[1-9]\d{0,8}$/)]).transform(Number);

export const registeredModelPage = z.object({
  registered_models: list(
    z.object({
      name: z.string(),
      description: textOrNull,
      creation_timestamp: timeOrNull,
      last_updated_timestamp: timeOrNull,
      tags: list(keyValue),
      aliases: list(z.object({ alias: z.string(), version })),
    }),
  ),
  next_page_token: pageToken,
});

export const modelVersionPage = z.object({
  model_versions: list(
    z.object({
      name: z.string(),
      version,
      creation_timestamp: timeOrNull,
      last_updated_timestamp: timeOrNull,
      description: textOrNull,
      user_id: textOrNull,
      current_stage: textOrNull,
      source: text,
      run_id: textOrNull,
      run_link: textOrNull,
      status: textOrNull,
      status_message: textOrNull,
      model_id: textOrNull,
      tags: list(keyValue),
    }),
  ),
  next_page_token: pageToken,
});

export const downloadUri = z.object({ artifact_uri: text });

export const serverInfo = z.object({ workspaces_enabled: z.boolean().nullish() });

export const workspaceList = z.object({
  workspaces: list(
    z.object({ name: z.string(), description: textOrNull, default_artifact_root: textOrNull }),
  ),
});

export const artifactList = z.object({
  files: list(
    z.object({
      path: z.string(),
      is_dir: z.boolean().nullish(),
      file_size: z.union([z.number().int().nonnegative(), z.string().regex(/^\d{1,15}$/)]).nullish(),
    }),
  ),
  next_page_token: pageToken,
});

/** Points come by the thousand: read by hand, 20 times faster. */
export type PointAnswer = {
  run_id: string | undefined;
  value: number;
  timestamp: number | bigint;
  step: number | bigint;
};

/** The points of an answer, or undefined when it is none. */
export function readPoints(answer: unknown): { points: PointAnswer[]; next: string | undefined } | undefined {
  if (!isObject(answer)) return undefined;
  const metrics = answer["metrics"] ?? [];
  const token = answer["next_page_token"] ?? "";
  if (!Array.isArray(metrics) || typeof token !== "string") return undefined;
  const points: PointAnswer[] = [];
  for (const each of metrics as unknown[]) {
    if (!isObject(each)) return undefined;
    const value = readDouble(each["value"]);
    const timestamp = readInt(each["timestamp"]);
    const step = readInt(each["step"] ?? 0);
    const run = each["run_id"];
    if (value === undefined || timestamp === undefined || step === undefined) return undefined;
    if (run !== undefined && typeof run !== "string") return undefined;
    points.push({ run_id: run, value, timestamp, step });
  }
  return { points, next: token === "" ? undefined : token };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readDouble(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint" || value === "NaN" || value === "Infinity" || value === "-Infinity")
    return Number(value);
  return undefined;
}

function readInt(value: unknown): number | bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? value : undefined;
  if (typeof value !== "string" || !/^-?\d{1,19}$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : readInt(BigInt(value));
}
