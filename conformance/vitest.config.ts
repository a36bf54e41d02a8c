import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { bytecode } from "./src/environment.ts";

/** What takes minutes begins first, so that the end is not one file alone. */
const long = [
  "infra/manifests.test.ts",
  "readme.test.ts",
  "import/databases.test.ts",
  "ui/walk.test.ts",
  "zenml/differential.test.ts",
  "zenml/fan-out.test.ts",
  "zenml/clients.test.ts",
  "zenml/commands.test.ts",
  "import/zenml.test.ts",
  "zenml/logs.test.ts",
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = long.indexOf(relative(import.meta.dirname, moduleId));
      return found < 0 ? long.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    root: import.meta.dirname,
    env: bytecode,
    include: ["**/*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
    // Every file starts servers and clients of its own, on free ports and in new folders: two at a time is what two
    // cores carry. Not so where all ask one server.
    maxWorkers: process.env["PLINTH_URL"] ? 1 : 2,
    sequence: { sequencer: LongFirst },
  },
});
