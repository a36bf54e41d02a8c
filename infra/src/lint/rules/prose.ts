import type { Rule } from "../rule.ts";
import type { Snippet, Workspace } from "../workspace.ts";

/** A sentence that claims what is not so, told by its words. Only where nothing else can be meant. */
type Claim = {
  id: string;
  covers: readonly string[];
  severity: Rule["severity"];
  /** The words, on one line. */
  says: RegExp;
  /** What the same document has to speak of, so that the words mean what they seem to. */
  within?: RegExp;
  /** What makes it true after all: found anywhere in the document, or in the files. */
  unless?: RegExp;
  title: string;
  why: string;
  remedy: string;
  /** Each line that says it, not only the first of a document. */
  each?: true;
};

const CLAIMS: readonly Claim[] = [
  {
    id: "prose/no-such-variable",
    covers: ["E21"],
    severity: "info",
    says: /\bpostgres(?:ql)? version is (?:now )?(?:a )?configurable\b/i,
    unless: /variable\s+"[^"]*(?:postgres|pg|db|database)[^"]*version/i,
    title: "a variable is promised that is not there",
    why: "The text says that the version of PostgreSQL is a variable; no variable of the configuration is.",
    remedy: "Add the variable, or take the sentence out.",
  },
  {
    id: "prose/no-public-subnets",
    covers: ["E50"],
    severity: "info",
    says: /\bpublic subnets?\b/i,
    within: /\bGoogle Cloud\b|\bGKE\b|\bGCP\b/,
    title: "a public subnet on Google Cloud",
    why: "Subnets of Google Cloud are neither public nor private: addresses belong to machines and load balancers. What a load balancer may need is a proxy-only subnet.",
    remedy: "Name what is meant: a proxy-only subnet, a Private Service Connect subnet, or none.",
  },
  {
    id: "prose/sync-is-no-backup",
    covers: ["E47"],
    severity: "info",
    says: /\bbackups?\b.*\bArgo ?CD sync\b|\bArgo ?CD sync (?:records?|history)\b.*\bbackup/i,
    title: "sync records as a backup",
    why: "Argo CD brings back what is in Git. Data of volumes, databases and buckets is not in Git.",
    remedy:
      "Back up what holds data: databases with point-in-time recovery, buckets with versions, GKE Backup for volumes.",
  },
  {
    id: "prose/bucket-recovery",
    covers: ["E47"],
    severity: "info",
    says: /\bbucket recovery\b/i,
    unless: /\bversioning\b|\bsoft[_ -]delete\b|custom_placement_config|dual-region/i,
    title: "recovery of a bucket without versions",
    why: "A bucket gives back what was overwritten or deleted only with versioning or soft delete, and survives its region only in two.",
    remedy: "Turn on versioning or soft delete, and say where the second copy lies.",
  },
  {
    id: "prose/mysql-recovery",
    covers: ["E43"],
    severity: "info",
    says: /\bpoint-in-time recovery\b/i,
    within: /\bCloud SQL\b[^\n]*\bMySQL\b/i,
    unless: /binary[_ ]log/i,
    title: "point-in-time recovery of MySQL without the binary log",
    why: "On Cloud SQL for MySQL it comes with backup_configuration.binary_log_enabled; point_in_time_recovery_enabled is refused at plan for MySQL.",
    remedy: "Set binary_log_enabled, and transaction_log_retention_days for how far back.",
  },
  {
    id: "prose/encrypted-only",
    covers: ["E44"],
    severity: "info",
    says: /\bENCRYPTED_ONLY\b/,
    within: /\bZenML\b|\bMLflow\b/,
    unless: /MLFLOW_MYSQL_SSL|ssl_ca|sslCa|database\.ssl/,
    title: "a database that refuses clients without TLS, and clients that are not told",
    why: "With ENCRYPTED_ONLY every client has to speak TLS: ZenML wants database.ssl and sslCa, MLflow MLFLOW_MYSQL_SSL_CA.",
    remedy: "Give both the server's certificate authority.",
  },
  {
    id: "prose/one-url-for-two",
    covers: ["E45"],
    severity: "info",
    says: /`?connection-url`?\s*[-–:].*\bdatabase\b.*\b(?:URL|URI)\b/i,
    within: /\bMLflow\b[\s\S]*\bZenML\b|\bZenML\b[\s\S]*\bMLflow\b/,
    unless: /mysql\+pymysql:\/\//,
    title: "an address of a database whose form is not said",
    why: "MLflow wants mysql+pymysql://, ZenML mysql:// and refuses any driver behind it: one address cannot serve both.",
    remedy: "Say for whom it is and in which form, and keep one for each.",
  },
  {
    id: "prose/fixed-bucket-name",
    covers: ["E46"],
    severity: "info",
    says: /\b(?:GCS|Cloud Storage|S3) bucket\b[^\n]*`[a-z0-9][a-z0-9-]{2,}`/i,
    unless: /random_id|random_string|project[_.]number|suffix/,
    title: "a bucket with a fixed name",
    why: "Names of buckets are unique in the whole world: a fixed one is taken by the first who runs this, or by a second environment.",
    remedy: "Put the project's number or a random suffix into the name.",
  },
  {
    id: "prose/waves-without-health",
    covers: ["E39"],
    severity: "info",
    says: /\bsync[- ]wave \d+\b.*\b(?:after|before)\b/i,
    within: /\bArgo ?CD\b/,
    unless: /resource\.customizations|\bhealth (?:check|of (?:an )?Applications?)\b/i,
    title: "waves of applications that do not wait",
    why: "Argo CD 1.8 took the health of an Application out: a parent goes on to the next wave at once, whether its children are healthy or not.",
    remedy: "Set resource.customizations.health.argoproj.io_Application in argocd-cm.",
  },
  {
    id: "prose/local-path",
    covers: ["E26"],
    severity: "info",
    says: /\b\d+Gi\b[^\n]*\blocal-path\b(?!-)/i,
    each: true,
    within: /\bMinIO\b|\bPostgres/i,
    title: "data on the disk of one node",
    why: "A volume of local-path lies on one node and dies with it; with one replica and no backup nothing is left.",
    remedy: "Use a storage class whose volumes outlive nodes, and a backup that lies elsewhere.",
  },
  {
    id: "prose/needless-rbac",
    covers: ["E49"],
    severity: "info",
    says: /\bRole(?:Binding)?s?\b.*\bsecret access\b|\bCloud SQL Client\b.*\baccess\b/i,
    each: true,
    within: /\bMLflow\b/,
    unless: /\bauth proxy\b|cloud-sql-proxy/i,
    title: "rights that nothing needs",
    why: "The kubelet mounts Secrets, so a pod needs no Role to read them; Cloud SQL Client is for the Auth Proxy and the connectors, not for a private address.",
    remedy: "Leave the rights out.",
  },
  {
    id: "prose/external-secrets-version",
    covers: ["E48"],
    severity: "info",
    says: /\*\*(?:Cluster)?SecretStore\*\*|\*\*ExternalSecret\*\*/,
    unless: /external-secrets\.io\/v1\b/,
    title: "objects of External Secrets without their version",
    why: "external-secrets.io/v1beta1 is no longer served: manifests copied from older documents fail.",
    remedy: "Say external-secrets.io/v1.",
  },
  {
    id: "prose/stack-module",
    covers: ["E60"],
    severity: "info",
    says: /github\.com\/zenml-io\/terraform-gcp-zenml-stack\b/,
    title: "a module that is no example to copy",
    why: "ZenML's module for Google Cloud no longer uses the restapi provider; it sets force_destroy on the bucket, holds google at ~> 5.0, and outside of ZenML Pro makes a key of a service account.",
    remedy: "Use the zenml provider with resources of your own.",
  },
  {
    id: "prose/autopilot-node-pools",
    covers: ["E41"],
    severity: "warning",
    says: /^node_pools\s*=/,
    each: true,
    within: /\bAutopilot\b/,
    title: "node pools for an Autopilot cluster",
    why: "On Autopilot, Google runs the nodes: the provider refuses node_pool, remove_default_node_pool and the like beside enable_autopilot.",
    remedy: "Take the node pools out, or make a Standard cluster.",
  },
];

type Document = { file: string; text: string; lines: { line: number; text: string }[] };

/** Documents with all their lines, prose and blocks alike. */
function documents({ snippets }: Workspace): Document[] {
  const byFile = Map.groupBy(
    snippets.filter(({ excerpt }) => excerpt),
    ({ file }) => file,
  );
  return [...byFile].map(([file, own]) => ({
    file,
    text: own.map(({ text }) => text).join("\n"),
    lines: own.flatMap(linesOf),
  }));
}

const linesOf = ({ text, firstLine }: Snippet): { line: number; text: string }[] =>
  text.split("\n").map((line, index) => ({ line: firstLine + index, text: line }));

/** Texts of the files beside the documents: what they set makes a claim true. */
const filesText = ({ snippets }: Workspace): string =>
  snippets
    .filter(({ excerpt, language }) => !excerpt && (language === "hcl" || language === "yaml"))
    .map(({ text }) => text)
    .join("\n");

function ruleOf({ says, within, unless, each, ...rule }: Claim): Rule {
  return {
    ...rule,
    *check(workspace) {
      let files: string | undefined;
      for (const { file, text, lines } of documents(workspace)) {
        if (!says.test(text) && !lines.some((line) => says.test(line.text))) continue;
        if (within !== undefined && !within.test(text)) continue;
        if (unless !== undefined && (unless.test(text) || unless.test((files ??= filesText(workspace)))))
          continue;
        const saying = lines.filter((line) => says.test(line.text)).sort((a, b) => a.line - b.line);
        for (const { line } of each === true ? saying : saying.slice(0, 1)) {
          yield { file, line, message: rule.why };
        }
      }
    },
  };
}

export const proseRules: readonly Rule[] = CLAIMS.map(ruleOf);
