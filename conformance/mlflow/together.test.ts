import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { clients } from "../src/environment.ts";
import { plinthOfThisFile } from "../src/flow-test.ts";
import { runFlow } from "../src/python.ts";

const plinth = plinthOfThisFile();

describe("both clients on one server at the same time", () => {
  const name = `together ${randomBytes(4).toString("hex")}`;
  const play = (mode: string) =>
    Promise.all(
      clients.map((version) =>
        runFlow({ version, script: "together", url: plinth().url, args: [mode, name] }),
      ),
    );

  it("write into one experiment without a failure", async () => {
    const written = await play("write");
    expect(written.map((one) => one["failures"])).toEqual([[], []]);
    expect(new Set(written.map((one) => one["experiment"])).size).toBe(1);
  });

  it("both read what both wrote", async () => {
    for (const seen of await play("read")) {
      expect(seen).toEqual({
        runs: { "2.9.2": 20, "3.17.2": 20 },
        complete: true,
        histories: true,
        notes: true,
      });
    }
  });
});
