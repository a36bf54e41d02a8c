import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{server,cli,contract,infra,scripts}/**/*.test.ts"],
    globalSetup: ["server/test/postgres-setup.ts"],
    // Tests start real servers: two files at a time is what two cores carry.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
