import type { Model } from "../../spec/components.ts";

/** Where the runtime of a format tells its metrics; undefined where it tells none. */
export function metricsPortOf(format: Model["format"]): number | undefined {
  switch (format) {
    case "mlflow":
    case "sklearn":
    case "xgboost":
    case "lightgbm":
      // MLServer has them at a port of their own since 1.1, whatever the runtime's annotation says.
      return 8082;
    case "pytorch":
    case "onnx":
      return 8002;
    case "huggingface":
      return 8080;
    case "tensorflow":
      return undefined;
  }
}

/** Formats that MLServer serves: their metrics have MLServer's names. */
export const isServedByMlServer = (format: Model["format"]): boolean => metricsPortOf(format) === 8082;
