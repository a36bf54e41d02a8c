// Plinth on loopback, as `plinth up` starts it: ZenML's clients work at once, and `zenml login` needs no person.
import { expect, it } from "vitest";
import { zenmlClients } from "../src/environment.ts";
import { plinthOfThisFile } from "../src/flow-test.ts";
import { runZenmlFlow } from "./flow.ts";

const target = plinthOfThisFile();

it.concurrent.each(zenmlClients)(
  "zenml %s is the local administrator, with and without a login",
  async (version) => {
    const { url } = target();
    expect(await runZenmlFlow({ version, script: "open_server", url })).toEqual({
      without: ["local", true],
      expires_in: 86_400,
      with: ["local", true],
    });
  },
);
