import { defineConfig } from "vitest/config";
import { bytecode } from "./src/environment.ts";

// Real clients take seconds to import their libraries, and every file starts its own servers: one file at a time.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    env: bytecode,
    include: ["**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
    fileParallelism: false,
  },
});
