// What every kind of stack component has as commands, with a flavor of the kind that needs no account to be registered.
import { run, says, type Command, type More } from "./command-words.ts";

interface Kind {
  readonly group: string;
  readonly flavor: string;
  /** Attributes that the flavor asks for. */
  readonly needs?: string;
  /** What the flavor works with is in the client itself. */
  readonly isLocal?: true;
  readonly versions?: More["versions"];
}

const kinds: readonly Kind[] = [
  { group: "alerter", flavor: "slack", needs: "--slack_token=hidden" },
  { group: "annotator", flavor: "pigeon", needs: "--output_dir={home}/labels" },
  { group: "artifact-store", flavor: "local", needs: "--path={home}/artifacts", isLocal: true },
  { group: "container-registry", flavor: "default", needs: "--uri=127.0.0.1:9", isLocal: true },
  { group: "data-validator", flavor: "evidently" },
  { group: "deployer", flavor: "docker", versions: ["0.98.0"], isLocal: true },
  {
    group: "experiment-tracker",
    flavor: "mlflow",
    needs: "--tracking_uri=http://127.0.0.1:9 --tracking_token=x",
  },
  { group: "feature-store", flavor: "feast", needs: "--feast_repo={home}/feast" },
  { group: "image-builder", flavor: "local", isLocal: true },
  {
    group: "log-store",
    flavor: "otel",
    needs: "--endpoint=http://127.0.0.1:9/v1/logs",
    versions: ["0.98.0"],
  },
  { group: "model-deployer", flavor: "huggingface", needs: "--namespace=mine" },
  { group: "model-registry", flavor: "mlflow" },
  { group: "orchestrator", flavor: "local", isLocal: true },
  { group: "sandbox", flavor: "local", versions: ["0.98.0"], isLocal: true },
  { group: "step-operator", flavor: "kubernetes" },
];

const commandsOfKind = ({ group, flavor, needs = "", isLocal, versions }: Kind): Command[] => {
  const more: More = versions === undefined ? {} : { versions };
  const own = `{n}-${group}`;
  return [
    says(`${group} flavor list`, /Flavor/, more),
    says(`${group} flavor describe ${flavor}`, /service connector/i, more),
    run(`${group} register ${own} -f ${flavor} ${needs} -l team=a`, more),
    says(`${group} list`, new RegExp(own), more),
    run(`${group} update ${own} -l team=b`, more),
    says(`${group} describe ${own}`, /team/, more),
    run(`${group} rename ${own} ${own}-2`, more),
    run(`${group} copy ${own}-2 ${own}-3`, more),
    ...(isLocal ? [says(`${group} logs ${own}-3`, /./, more)] : []),
    run(`${group} delete ${own}-3`, more),
    run(`${group} delete ${own}-2`, more),
    run(`${group} get`, more),
  ];
};

export const componentCommands: readonly Command[] = kinds.flatMap(commandsOfKind);
