import { describe, expect, test } from "vitest";
import { lintSnippets } from "../run.ts";
import { snippetsIn } from "../sources.ts";
import { proseRules } from "./prose.ts";

/** For each claim: a document that makes it, the lines where it does, and one that says the right thing. */
const cases: Readonly<Record<string, { bad: string; lines: number[]; good: string }>> = {
  "prose/no-such-variable": {
    bad: "# Plan\nThe PostgreSQL version is now a configurable variable.\n",
    lines: [2],
    good: '# Plan\nThe PostgreSQL version is now a configurable variable.\n```hcl\nvariable "postgres_version" {\n}\n```\n',
  },
  "prose/no-public-subnets": {
    bad: "# Network on Google Cloud\n- **Public subnet** for load balancers\n",
    lines: [2],
    good: "# Network on AWS\n- Public subnet for load balancers\n",
  },
  "prose/sync-is-no-backup": {
    bad: "# Recovery\n- Application backups: ArgoCD sync records\n",
    lines: [2],
    good: "# Recovery\n- Argo CD syncs the applications again; GKE Backup has the volumes\n",
  },
  "prose/bucket-recovery": {
    bad: "# Recovery\n- Storage bucket recovery\n",
    lines: [2],
    good: "# Recovery\n- Storage bucket recovery, by object versioning\n",
  },
  "prose/mysql-recovery": {
    bad: "# Cloud SQL MySQL\n- Backups with point-in-time recovery\n",
    lines: [2],
    good: "# Cloud SQL MySQL\n- Backups with point-in-time recovery (binary log)\n",
  },
  "prose/encrypted-only": {
    bad: "# MLflow\n- ENCRYPTED_ONLY mode\n",
    lines: [2],
    good: "# MLflow\n- ENCRYPTED_ONLY mode; clients have MLFLOW_MYSQL_SSL_CA\n",
  },
  "prose/one-url-for-two": {
    bad: "# MLflow beside ZenML\n- `connection-url` - Complete database connection URL\n",
    lines: [2],
    good: "# MLflow beside ZenML\n- `connection-url` - database URL for MLflow, mysql+pymysql://...\n",
  },
  "prose/fixed-bucket-name": {
    bad: "# Storage\n- MLflow GCS bucket (`zenml-mlflow-artifacts`)\n",
    lines: [2],
    good: "# Storage\n- MLflow GCS bucket (`zenml-mlflow-artifacts` with a random suffix)\n",
  },
  "prose/waves-without-health": {
    bad: "# ArgoCD\n1. **Sync Wave 3**: deploys after cert-manager\n2. Sync wave 4: deploys after that\n",
    lines: [2],
    good: "# ArgoCD\n1. Sync Wave 3: deploys after cert-manager (resource.customizations has the health of Applications)\n",
  },
  "prose/local-path": {
    bad: "# MinIO\n```text\npvc.yaml # 100Gi storage (local-path)\n```\n",
    lines: [3],
    good: '# MinIO\n```text\nexclusions = ["local-path-storage"] # 1Gi\npvc.yaml # 100Gi storage (civo-volume)\n```\n',
  },
  "prose/needless-rbac": {
    bad: "# MLflow\n- **RBAC**: Role and RoleBinding for secret access\n",
    lines: [2],
    good: "# MLflow\n- Secrets are mounted; no Role reads them\n",
  },
  "prose/external-secrets-version": {
    bad: "# MLflow\n- **SecretStore**: connects to Secret Manager\n",
    lines: [2],
    good: "# MLflow\n- **SecretStore** (external-secrets.io/v1): connects to Secret Manager\n",
  },
  "prose/stack-module": {
    bad: "# Stacks\nAs in [the module](https://github.com/zenml-io/terraform-gcp-zenml-stack).\n",
    lines: [2],
    good: "# Stacks\nWith [the provider](https://github.com/zenml-io/terraform-provider-zenml).\n",
  },
  "prose/autopilot-node-pools": {
    bad: "# GKE Autopilot\n```hcl\nnode_pools = {\n}\n```\n",
    lines: [3],
    good: "# GKE Standard\n```hcl\nnode_pools = {\n}\n```\n",
  },
};

const seen = (rule: string, text: string): number[] =>
  lintSnippets(snippetsIn("guide.md", text), { only: [rule] }).findings.map(({ line }) => line);

describe.for(Object.entries(cases))("%s", ([rule, { bad, lines, good }]) => {
  test("sees the claim", () => expect(seen(rule, bad)).toEqual(lines));
  test("leaves what is right alone", () => expect(seen(rule, good)).toEqual([]));
});

test("every claim has its case, and none is an error: words are no configuration", () => {
  expect(proseRules.map(({ id }) => id).sort()).toEqual(Object.keys(cases).sort());
  expect(proseRules.filter(({ severity }) => severity === "error")).toEqual([]);
});
