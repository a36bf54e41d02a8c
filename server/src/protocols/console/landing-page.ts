import type { ServerStatus } from "@plinth/contract";

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] as string);

// Colours keep a contrast of at least 4.5:1 in both schemes.
const style = `
  :root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1b1f24; --quiet: #57606a;
    --edge: #d8dee4; --code: #f0f2f5; --link: #0a58b8; --good: #1a7f37; }
  @media (prefers-color-scheme: dark) { :root { --page: #0f1318; --card: #171c23; --text: #e6e9ee;
    --quiet: #9aa4b0; --edge: #2d3540; --code: #0f1318; --link: #79b8ff; --good: #56d364; } }
  * { box-sizing: border-box; }
  body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; margin: 0; }
  header, main { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
  header { display: flex; align-items: center; gap: 1rem; padding-top: 2.5rem; padding-bottom: 1.5rem; }
  header svg { width: 3rem; height: 3rem; color: var(--link); flex: none; }
  h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; }
  header p { margin: 0; color: var(--quiet); }
  .state { color: var(--good); font-weight: 600; }
  main { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.25rem; align-items: start;
    padding-bottom: 3rem; }
  @media (max-width: 54rem) { main { grid-template-columns: minmax(0, 1fr); } }
  section { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 1.25rem 1.5rem; }
  h2 { font-size: 1.15rem; margin: 0 0 .75rem; } h3 { font-size: 1rem; margin: 1.1rem 0 .4rem; }
  pre { background: var(--code); border: 1px solid var(--edge); border-radius: 8px; margin: 0;
    padding: .7rem 1rem; overflow-x: auto; }
  code { font: .9em/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
  dl { margin: 0; display: grid; grid-template-columns: auto minmax(0, 1fr); }
  dt, dd { padding: .45rem 0; border-bottom: 1px solid var(--edge); margin: 0; }
  dt { color: var(--quiet); padding-right: 1.25rem; } dd { overflow-wrap: anywhere; }
  ul { list-style: none; padding: 0; margin: .4rem 0 0; } li { padding: .15rem 0; color: var(--quiet); }
  a { color: var(--link); }`;

const mark = `<svg viewBox="0 0 48 48" fill="currentColor" aria-hidden="true"><rect x="14" y="6" width="20" height="5" rx="1"/>
<rect x="17" y="13" width="14" height="19"/><rect x="11" y="34" width="26" height="4" rx="1"/><rect x="6" y="40" width="36" height="5" rx="1"/></svg>`;

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

/** What is running, where, with which version, and what to paste. Needs no script and no other file. */
export function landingPage(status: ServerStatus, url: string, hasWebUi: boolean): string {
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
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Plinth</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${style}</style></head><body>
<header>${mark}<div><h1>Plinth</h1><p><span class="state">Running</span> at <code>${escape(url)}</code></p></div></header>
<main>
<section><h2>Log a first run</h2>
<h3>Install MLflow’s client</h3>
${codeBlock("Shell: install the client", `pip install mlflow==${status.mlflow_api_version}`)}
<h3>Point it here</h3>
${codeBlock("Shell: set the address", `export MLFLOW_TRACKING_URI=${url}`)}
<h3>Log, in Python</h3>
${codeBlock("Python: log a run", firstRun)}
</section>
<section><h2>What is running</h2>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`).join("")}</dl>
<h3>MLflow’s web UI</h3>
${hasWebUi ? webUi : codeBlock("Shell: start with MLflow's web UI", "npm run up -- --mlflow-ui path/to/venv")}
<h3>For operators</h3>
<ul>${operations.map(([path, meaning]) => `<li><a href="${path}">/${path}</a> ${meaning}</li>`).join("")}</ul>
</section>
</main>
</body></html>
`;
}
