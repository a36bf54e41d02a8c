import type { ServerStatus } from "@plinth/contract";

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);

const style = `
  :root { color-scheme: light dark; --edge: #8884; --soft: #8882; --ok: #1a7f37; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  h1 { font-size: 1.75rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
  .up { color: var(--ok); font-weight: 600; }
  pre { background: var(--soft); border: 1px solid var(--edge); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; } td { padding: .35rem .5rem .35rem 0; border-top: 1px solid var(--edge); }
  td:first-child { opacity: .7; width: 12rem; } code { font-size: .92em; }`;

/** What is running, where, with which version, and what to paste. Needs no script and no other file. */
export function landingPage(status: ServerStatus, host: string): string {
  const url = `http://${host}`;
  const rows: [string, string][] = [
    ["Plinth", status.version],
    ["MLflow API", status.mlflow_api_version],
    ["Database", `PostgreSQL ${status.database.version} (${status.database.kind})`],
    ["Artifacts", status.blob_store],
    ["Running since", status.started_at],
    ["Process", String(status.pid)],
  ];
  const table = rows.map(([name, value]) => `<tr><td>${name}</td><td>${escape(value)}</td></tr>`).join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Plinth</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${style}</style></head><body>
<h1>Plinth</h1><p><span class="up">Running</span> at <code>${escape(url)}</code></p>
<h2>Point your MLflow client here</h2>
<pre>export MLFLOW_TRACKING_URI=${escape(url)}</pre>
<h2>Log a first run</h2>
<pre>import mlflow
mlflow.set_tracking_uri("${escape(url)}")
mlflow.set_experiment("first-steps")
with mlflow.start_run():
    mlflow.log_param("learning_rate", 0.1)
    mlflow.log_metric("loss", 0.42, step=1)</pre>
<h2>What is running</h2><table>${table}</table>
<p><a href="health">health</a> · <a href="ready">ready</a> · <a href="metrics">metrics</a> · <a href="version">version</a></p>
</body></html>
`;
}
