// Commands of ZenML's CLI that no suite runs, each with the reason. A pattern that no command has any more, or whose
// command is run by now, fails the suite, as does a new command that is neither here nor run.
const noServer = "asks nothing of the server";
const elsewhere = "speaks to what the stack component runs, not to the server";
const sameCode = "one function makes it for every kind of component; it is run for";

const kinds =
  "(alerter|annotator|artifact-store|container-registry|data-validator|deployer|experiment-tracker|feature-store|" +
  "image-builder|log-store|model-deployer|model-registry|orchestrator|sandbox|step-operator)";

export const notRun: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^(analytics|integration|logging) /, noServer],
  [/^(init|clean|go|show|downgrade)$/, noServer],
  [
    /^(backup|migrate|restore)-database$/,
    "works on the database of a server on the same machine, without a server",
  ],
  [/^(up|down|logs)$/, "starts, ends or reads a server of ZenML's own on this machine"],
  [/^(connect|disconnect)$/, "gone: says to use login and logout"],
  [/^(login|logout)$/, "needs a terminal and a browser; the same code is run by login.test.ts"],
  [/^server show$/, "opens a browser"],
  [/^stack deploy$/, "waits for a person to deploy a stack with a cloud account"],
  [/^annotator dataset /, elsewhere],
  [/^feature-store feature /, elsewhere],
  [/^model-(deployer|registry) models /, elsewhere],
  [new RegExp(`^${kinds} explain$`), noServer],
  [
    new RegExp(`^${kinds} logs$`),
    "reads a file beside the client; what the server has to say is in describe",
  ],
  [new RegExp(`^${kinds} (connect|disconnect)$`), `${sameCode} container registries`],
  [new RegExp(`^${kinds} remove-attribute$`), `${sameCode} artifact stores`],
  [new RegExp(`^${kinds} flavor (register|delete)$`), `${sameCode} orchestrators`],
];
