import { expect, test } from "vitest";
import { landingPage } from "./landing-page.ts";
import { renderPage } from "./page.ts";

const status = {
  version: "0.1.0",
  mlflow_api_version: "3.17.2",
  pid: 4711,
  started_at: "2026-01-31T09:05:00.000Z",
  database: { kind: "embedded", version: "18.4", connections: 1 },
  blob_store: "s3://bucket/<prefix>",
} as const;

const render = (url: string, hasWebUi: boolean): string => renderPage(landingPage(status, url, { hasWebUi }));

test("says what is running and what to paste", () => {
  const page = render("http://127.0.0.1:5000", false);
  expect(page).toContain("export MLFLOW_TRACKING_URI=http://127.0.0.1:5000");
  expect(page).toContain("pip install mlflow==3.17.2");
  expect(page).toContain("<dt>Database</dt><dd>PostgreSQL 18.4, embedded</dd>");
  expect(page).toContain("<dt>Running since</dt><dd>2026-01-31 09:05:00 UTC</dd>");
});

test("shows what it was given as text, never as markup", () => {
  const page = render(`"><script>alert('x')</script>&`, true);
  expect(page).not.toContain("<script");
  expect(page).toContain("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;");
  expect(page).toContain("s3://bucket/&lt;prefix&gt;");
});

test("needs nothing that its content security policy forbids", () => {
  const page = render("http://127.0.0.1:5000", false);
  expect(page).not.toMatch(/<script|<img|<link|@import|url\(|\son\w+=|\sstyle=/);
});

test("leads to MLflow's web UI where it is served, and says how to get it where not", () => {
  expect(render("http://127.0.0.1:5000", true)).toContain('<a href=".">Open it</a>');
  expect(render("http://127.0.0.1:5000", false)).toContain("--mlflow-ui path/to/venv");
});
