import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{server,cli,contract,infra,scripts}/**/*.test.ts"],
    globalSetup: ["server/test/postgres-setup.ts"],
    // Tests start real servers: two files at a time is what two cores carry.
    maxWorkers: 2,
    // It imports the files of users as Node does: vite would read them its own way.
    server: { deps: { external: [/infra\/src\/config-file\.ts$/] } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
