// Where Plinth answers otherwise than `mlflow server` 3.17.2 on purpose. Every entry has a reason; an entry that
// is not needed any more fails.
export type Difference = {
  /** "scenario > step" */
  readonly at: readonly string[];
  readonly reason: string;
} & (
  | { readonly ignore: "message" | "body" | "headers" }
  | { readonly answers: { readonly status: number; readonly error_code?: string; readonly body?: unknown } }
);

export const differences: readonly Difference[] = [];
