import type { Answer } from "./harness.ts";

/** Status, code and message of an answer of Plinth's own API that must be an error. */
export const consoleRefusal = ({ status, json }: Answer): unknown[] => [
  status,
  json?.error?.code,
  json?.error?.message,
];
