import type { ServerStatus } from "@plinth/contract";
import { escape, type Page } from "./page.ts";

const codeBlock = (label: string, text: string): string =>
  `<pre tabindex="0" aria-label="${label}"><code>${escape(text)}</code></pre>`;

const operations: readonly [path: string, meaning: string][] = [
  ["health", "the process lives"],
  ["ready", "it can serve"],
  ["metrics", "for Prometheus"],
  ["version", "of the MLflow API"],
  ["console/api/status", "this page as JSON"],
];

const webUi = `<ul><li><a href=".">Open it</a> for experiments, runs and models</li></ul>`;

/** What is running, where, with which version, and what to paste. */
export function landingPage(
  status: ServerStatus,
  url: string,
  shown: { hasWebUi: boolean; beside?: string },
): Page {
  const facts: [string, string][] = [
    ["Plinth", status.version],
    ["MLflow API", status.mlflow_api_version],
    ["Database", `PostgreSQL ${status.database.version}, ${status.database.kind}`],
    ["Artifacts", status.blob_store],
    ["Running since", status.started_at.replace(/T(\d\d:\d\d:\d\d).*/, " $1 UTC")],
    ["Process", String(status.pid)],
  ];
  const firstRun = `import mlflow

mlflow.set_experiment("first-steps")
with mlflow.start_run() as run:
    mlflow.log_param("learning_rate", 0.1)
    mlflow.log_metric("loss", 0.42, step=1)

print(mlflow.get_run(run.info.run_id).data)`;
  const body = `<section><h2>Log a first run</h2>
<h3>Install MLflow’s client</h3>
${codeBlock("Shell: install the client", `pip install mlflow==${status.mlflow_api_version}`)}
<h3>Point it here</h3>
${codeBlock("Shell: set the address", `export MLFLOW_TRACKING_URI=${url}`)}
<h3>Log, in Python</h3>
${codeBlock("Python: log a run", firstRun)}
</section>
<section><h2>Run ZenML’s pipelines</h2>
${codeBlock("Shell: connect ZenML's client", `zenml login ${url}`)}
</section>
<section><h2>What is running</h2>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`).join("")}</dl>
<h3>MLflow’s web UI</h3>
${shown.hasWebUi ? webUi : codeBlock("Shell: start with MLflow's web UI", "npm run up -- --mlflow-ui path/to/venv")}
<h3>For operators</h3>
<ul>${operations.map(([path, meaning]) => `<li><a href="${path}">/${path}</a> ${meaning}</li>`).join("")}</ul>
</section>`;
  return {
    title: "Plinth",
    heading: "Plinth",
    under: `<span class="state">Running</span> at <code>${escape(url)}</code>`,
    ...(shown.beside === undefined ? {} : { beside: shown.beside }),
    body,
  };
}
