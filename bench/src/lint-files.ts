// Writes a repository of the size that a platform team has and times `plinth lint` over it: node bench/src/lint-files.ts [files]
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const BAR_SECONDS = 3;
const TRIES = 5;

const main = join(import.meta.dirname, "..", "..", "cli", "src", "main.ts");

/** A service as it is deployed: what most files of such a repository hold. */
const workload = (n: number): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-${n}
  namespace: team-${n % 20}
  labels: { app.kubernetes.io/name: service-${n} }
spec:
  replicas: 2
  selector:
    matchLabels: { app.kubernetes.io/name: service-${n} }
  template:
    metadata:
      labels: { app.kubernetes.io/name: service-${n} }
    spec:
      serviceAccountName: service-${n}
      securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 }
      containers:
        - name: server
          image: registry.example.com/service:1.${n}.0
          args: [serve, --port, "8080"]
          ports:
            - { name: http, containerPort: 8080 }
          env:
            - name: DATABASE_PASSWORD
              valueFrom: { secretKeyRef: { name: service-${n}, key: password } }
          livenessProbe: { httpGet: { path: /health, port: http } }
          readinessProbe: { httpGet: { path: /ready, port: http } }
          resources:
            requests: { cpu: 100m, memory: 256Mi }
            limits: { memory: 512Mi }
---
apiVersion: v1
kind: Service
metadata: { name: service-${n}, namespace: team-${n % 20} }
spec:
  selector: { app.kubernetes.io/name: service-${n} }
  ports:
    - { name: http, port: 80, targetPort: http }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: service-${n}, namespace: team-${n % 20} }
spec:
  maxUnavailable: 1
  selector:
    matchLabels: { app.kubernetes.io/name: service-${n} }
`;

const route = (n: number): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: service-${n}, namespace: team-${n % 20} }
spec:
  parentRefs:
    - { name: platform, namespace: gateway-system }
  hostnames: [service-${n}.example.com]
  rules:
    - backendRefs:
        - { name: service-${n}, port: 80 }
`;

const application = (n: number): string => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: service-${n}
  namespace: argocd
  annotations: { argocd.argoproj.io/sync-wave: "2" }
spec:
  project: default
  source:
    repoURL: https://git.example.com/platform.git
    targetRevision: main
    path: k8s/service-${n}
  destination: { server: https://kubernetes.default.svc, namespace: team-${n % 20} }
  syncPolicy:
    automated: { prune: true, selfHeal: true }
`;

const terraform = (n: number): string => `variable "project_id" {
  description = "Project of service ${n}"
  type        = string
}

resource "google_service_account" "service" {
  project    = var.project_id
  account_id = "service-${n}"
}

resource "google_storage_bucket" "data" {
  project                     = var.project_id
  name                        = "\${var.project_id}-service-${n}"
  location                    = "EU"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }
}

resource "google_storage_bucket_iam_member" "service" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:\${google_service_account.service.email}"
}

output "bucket" {
  value = google_storage_bucket.data.url
}
`;

const guide = (n: number): string => `# Service ${n}

How it is deployed and looked after.

\`\`\`bash
kubectl get pods -n team-${n % 20} -l app.kubernetes.io/name=service-${n}
kubectl port-forward -n team-${n % 20} svc/service-${n} 8080:80
curl http://localhost:8080/health
\`\`\`

\`\`\`yaml
replicas: 2
image: registry.example.com/service:1.${n}.0
\`\`\`
`;

const script = (n: number): string => `#!/usr/bin/env bash
set -euo pipefail
kubectl rollout restart -n team-${n % 20} deployment/service-${n}
kubectl rollout status -n team-${n % 20} deployment/service-${n} --timeout=120s
`;

/** The service that the file of number n belongs to: one of those that are deployed. */
const serviceOf = (n: number): number => n - (n % 10);

/** Of ten files, half are workloads. */
const kinds: readonly (readonly [(n: number) => string, (n: number) => string])[] = [
  [(n) => `k8s/service-${n}/workload.yaml`, workload],
  [(n) => `k8s/service-${n}/workload.yaml`, workload],
  [(n) => `k8s/service-${n}/workload.yaml`, workload],
  [(n) => `k8s/service-${n}/workload.yaml`, workload],
  [(n) => `k8s/service-${n}/workload.yaml`, workload],
  [(n) => `k8s/service-${n}/route.yaml`, (n) => route(serviceOf(n))],
  [(n) => `apps/service-${n}.yaml`, application],
  [(n) => `terraform/service-${n}/main.tf`, terraform],
  [(n) => `docs/service-${n}.md`, (n) => guide(serviceOf(n))],
  [(n) => `scripts/restart-${n}.sh`, (n) => script(serviceOf(n))],
];

const files = Number(process.argv[2] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), "plinth-lint-bench-"));
try {
  let bytes = 0;
  for (let n = 0; n < files; n += 1) {
    const kind = kinds[n % kinds.length];
    if (kind === undefined) continue;
    const [path, text] = kind;
    const file = join(folder, path(n));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text(n));
    bytes += text(n).length;
  }
  const times: number[] = [];
  for (let index = 0; index < TRIES; index += 1) {
    const start = performance.now();
    const run = spawnSync(process.execPath, [main, "lint", folder, "--json"], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    times.push((performance.now() - start) / 1000);
    if (run.status === 2 || run.status === null) throw new Error(run.stderr);
    if (index === 0) {
      const { findings } = JSON.parse(run.stdout) as { findings: { rule: string }[] };
      const rules = [...Map.groupBy(findings, ({ rule }) => rule)].map(
        ([rule, own]) => `${rule} ${own.length}`,
      );
      process.stdout.write(`${findings.length} findings${rules.length > 0 ? `: ${rules.join(", ")}` : ""}\n`);
    }
  }
  const median = times.sort((a, b) => a - b)[Math.floor(TRIES / 2)] ?? 0;
  process.stdout.write(
    `${files} files, ${(bytes / 1e6).toFixed(1)} MB: ${median.toFixed(2)} s (bar ${BAR_SECONDS} s for 1000 files)\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
