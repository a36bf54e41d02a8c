import type { JsonObject } from "./step-configuration.ts";

/** Flavors that ZenML knows to work only on the machine they are used on, as `type:flavor`. */
const alwaysLocal: ReadonlySet<string> = new Set([
  "artifact_store:local",
  "orchestrator:local",
  "orchestrator:local_docker",
  "deployer:local",
  "deployer:docker",
  "sandbox:local",
  "sandbox:docker",
  "model_deployer:mlflow",
]);

const localClusters = ["k3d-", "kind-", "minikube", "docker-desktop", "colima", "rancher-desktop"];

/** Whether a component can be reached from the machine alone on which it was set up, by ZenML's own rules. */
export function isLocalComponent(type: string, flavor: string, configuration: JsonObject): boolean {
  const text = (field: string): string => {
    const value = configuration[field];
    return typeof value === "string" ? value : "";
  };
  switch (`${type}:${flavor}`) {
    case "orchestrator:airflow":
      return configuration["local"] !== false;
    case "orchestrator:kubernetes":
      return configuration["local"] === true;
    case "deployer:kubernetes":
      return (
        configuration["local"] === true ||
        localClusters.some((word) => text("kubernetes_context").toLowerCase().includes(word))
      );
    case "experiment_tracker:mlflow":
      return !/^https?:\/\//.test(text("tracking_uri"));
    case "feature_store:feast":
      return ["", "localhost", "127.0.0.1"].includes(text("online_host"));
    case "data_validator:great_expectations":
      return text("context_root_dir") !== "";
    default:
      if (type === "container_registry") return /^localhost:\d{4,5}$/.test(text("uri"));
      return alwaysLocal.has(`${type}:${flavor}`);
  }
}
