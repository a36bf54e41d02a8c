import { z } from "zod";
import { address, dnsLabel, httpsUrl, memory, resources, secretReference } from "./values.ts";

/** What holds state: databases, buckets, and the copies of both. */

const cloudNativePg = z.strictObject({
  engine: z.literal("cloudnative-pg"),
  version: z.enum(["16", "17", "18"]).default("18"),
  instances: z.int().min(1).max(9),
  storage: memory.default("20Gi"),
  resources: resources.prefault({ cpu: "500m", memory: "1Gi", memoryLimit: "1Gi" }),
});

const kubeBlocks = z.strictObject({
  engine: z.literal("kubeblocks"),
  dialect: z.enum(["mysql", "postgresql"]).default("mysql"),
  replicas: z.int().min(1).max(9),
  storage: memory.default("20Gi"),
  resources: resources.prefault({ cpu: "500m", memory: "1Gi", memoryLimit: "1Gi" }),
});

const cloudSql = z.strictObject({
  engine: z.literal("cloud-sql"),
  dialect: z.enum(["mysql", "postgresql"]),
  edition: z.enum(["ENTERPRISE", "ENTERPRISE_PLUS"]).default("ENTERPRISE"),
  tier: z
    .string()
    .regex(/^db-/, "a tier of Cloud SQL, for example db-custom-2-7680")
    .default("db-custom-2-7680"),
  highAvailability: z.boolean(),
  /** A copy in the backup region that can take over, seconds behind. Without it the backup region has the backups alone. */
  replica: z.boolean().default(false),
  diskGb: z.int().min(10).max(65_536).default(20),
});

const civoDatabase = z.strictObject({
  engine: z.literal("civo-database"),
  dialect: z.enum(["mysql", "postgresql"]),
  version: z.string(),
  size: z.string().default("g3.db.small"),
  nodes: z.int().min(1).max(5),
});

const external = z.strictObject({
  engine: z.literal("external"),
  dialect: z.enum(["mysql", "postgresql"]),
  host: address,
  port: z.int().min(1).max(65_535),
  name: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "lower-case letters, digits and _"),
  user: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "lower-case letters, digits and _"),
  /** Entry that holds the password under the key `password`. */
  password: secretReference,
  tls: z.boolean().default(true),
});

export const database = z.discriminatedUnion("engine", [
  cloudNativePg,
  kubeBlocks,
  cloudSql,
  civoDatabase,
  external,
]);
export type Database = z.infer<typeof database>;
export type CloudNativePg = z.infer<typeof cloudNativePg>;
export type KubeBlocks = z.infer<typeof kubeBlocks>;
export type CloudSql = z.infer<typeof cloudSql>;
export type CivoDatabase = z.infer<typeof civoDatabase>;

/** CloudNativePG is PostgreSQL; the others say which of the two they are. */
export const dialectOf = (of: Database): "mysql" | "postgresql" =>
  of.engine === "cloudnative-pg" ? "postgresql" : of.dialect;

const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,40}[a-z0-9]$/, "3 to 42 lower-case letters, digits and hyphens");

export const objectStore = z.discriminatedUnion("engine", [
  z.strictObject({ engine: z.literal("civo"), sizeGb: z.int().min(500).default(500) }),
  z.strictObject({
    engine: z.literal("gcs"),
    storageClass: z.enum(["STANDARD", "NEARLINE"]).default("STANDARD"),
    /** Days after which replaced or deleted objects go for good. */
    keepDeletedDays: z.int().min(7).max(90).default(30),
  }),
  z.strictObject({
    engine: z.literal("minio"),
    storage: memory.default("100Gi"),
    /** The community's MinIO ended in 2025: name an image of a maintained fork, by tag. */
    image: z.string(),
    /** Image with the client `mc`, which makes buckets and users; the server's has it as a rule. */
    clientImage: z.string().optional(),
    credentials: secretReference.default({ secret: "minio-root" }),
  }),
  z.strictObject({
    engine: z.literal("s3"),
    endpoint: httpsUrl.or(z.string().regex(/^http:\/\/[a-z0-9.-]+(:\d+)?$/, "an http(s) address")),
    region: z.string().default("us-east-1"),
    pathStyle: z.boolean().default(true),
    /** Entry with the keys `access-key-id` and `secret-access-key`. */
    credentials: secretReference,
    buckets: z.strictObject({ artifacts: bucketName, models: bucketName, backups: bucketName }),
  }),
]);
export type ObjectStore = z.infer<typeof objectStore>;

export const backup = z.strictObject({
  enabled: z.boolean(),
  /** When, as cron has it, in UTC. */
  schedule: z
    .string()
    .regex(/^\d{1,2} \d{1,2} \* \* (\*|[0-6])$/, 'minute and hour, daily or on one weekday: "0 2 * * *"')
    .default("0 2 * * *"),
  retentionDays: z.int().min(1).max(365).default(30),
  /** Any moment within this many days can be gone back to. */
  pointInTimeDays: z.int().min(1).max(35).default(7),
});

export const stateBackend = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("gcs"), bucket: z.string() }),
  z.strictObject({
    kind: z.literal("s3"),
    bucket: z.string(),
    region: z.string(),
    endpoint: httpsUrl.optional(),
  }),
  z.strictObject({ kind: z.literal("kubernetes"), namespace: dnsLabel.default("terraform-state") }),
  z.strictObject({ kind: z.literal("local") }),
]);
export type StateBackend = z.infer<typeof stateBackend>;
