import { z } from "zod";

/** Values that settings are made of, with messages that say what would be right. */

/** Longest name that still leaves room for what is put behind it: a Google service account id has 30 characters. */
const MAX_NAME = 20;

export const shortName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, "lower-case letters, digits and hyphens, beginning with a letter")
  .max(MAX_NAME, `at most ${MAX_NAME} characters: longer names are made from it`);

export const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "lower-case letters, digits and hyphens (RFC 1123)")
  .max(63, "at most 63 characters");

export const hostName = z
  .string()
  .regex(
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "a host name in lower case without a scheme or trailing dot, for example mlops.example.com",
  )
  .max(200);

export const address = z
  .string()
  .regex(/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/, "a host name or IP address without a scheme or port");

export const memory = z
  .string()
  .regex(/^[1-9]\d*(Ki|Mi|Gi|Ti)$/, "a quantity with Ki, Mi, Gi or Ti, for example 512Mi");

export const cpu = z
  .string()
  .regex(/^([1-9]\d*m|[1-9]\d*(\.\d{1,3})?|0\.\d{1,3})$/, "CPU cores, for example 500m or 2");

const octet = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
export const cidr = z
  .string()
  .regex(
    new RegExp(`^(${octet}\\.){3}${octet}/([0-9]|[12]\\d|3[0-2])$`),
    "an IPv4 network, for example 10.0.0.0/20",
  );

export const httpsUrl = z
  .string()
  .regex(/^https:\/\/[^\s@/]+(\/[^\s@]*)?$/, "an https:// address without credentials in it");

export const email = z.string().regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address");

/** Kubernetes label keys and values; Google Cloud takes them in lower case. */
export const labels = z.record(
  z.string().regex(/^[a-z]([a-z0-9_-]{0,61}[a-z0-9])?$/, "lower-case letters, digits, - and _"),
  z.string().regex(/^([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)?$/, "lower-case letters, digits, - and _"),
);

/** A secret is only ever named: an entry of the secret store, never its value. */
export const secretReference = z.strictObject({
  /** Name of the entry in Secret Manager, or of the Kubernetes Secret with sealed and plain secrets. */
  secret: dnsLabel,
});

/** What a container asks for, and the memory it may not exceed. CPU has no limit: it would throttle. */
export const resources = z.strictObject({ cpu, memory, memoryLimit: memory });
export type Resources = z.infer<typeof resources>;

export const replicas = z.int().min(1).max(50);

export const autoscaling = z.strictObject({
  minReplicas: replicas,
  maxReplicas: replicas,
  /** Average use of the requested CPU to keep, in percent. */
  cpuPercent: z.int().min(10).max(95).default(80),
});
export type Autoscaling = z.infer<typeof autoscaling>;
