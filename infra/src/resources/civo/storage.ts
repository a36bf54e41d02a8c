import type { Buckets } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { CivoTarget } from "../../spec/target.ts";
import { ref, type Reason, type Resource, type TerraformBody } from "../resource.ts";
import {
  commented,
  extended,
  output,
  protection,
  resource,
  terraformFile,
  variable,
} from "../terraform-block.ts";
import { versionsResource } from "../terraform-state.ts";
import { moduleFolder } from "./folders.ts";

/** Users of the object store, as the entries of their keys name them. */
type User = "tracking" | "models" | "backups";

const BUCKETS: Record<User, keyof Buckets> = { tracking: "artifacts", models: "models", backups: "backups" };

/** Users that something in the platform needs keys for. */
export function storeUsers({ prefix, secrets }: Plan): User[] {
  const entries = new Set(secrets.flatMap(({ inputs }) => Object.values(inputs).map(({ entry }) => entry)));
  return (["tracking", "models", "backups"] as const).filter((user) =>
    entries.has(`${prefix}-${user}-object-store-id`),
  );
}

export const hasStorage = ({ environment }: Plan): boolean => environment.objectStore.engine === "civo";

/** Users whose bucket is in a region. */
export const usersIn = (plan: Plan, region: "main" | "backup", { backupRegion }: CivoTarget): User[] =>
  storeUsers(plan).filter(
    (user) => (user === "backups" && backupRegion !== undefined) === (region === "backup"),
  );

/** Whether a region holds copies of the artifacts. */
export const isCopied = (plan: Plan, region: "main" | "backup"): boolean =>
  region === "backup" &&
  plan.environment.target.kind === "civo" &&
  plan.environment.target.backupRegion !== undefined;

/** Name of the bucket that copies of artifacts go to in the backup region. */
export const copyBucket = ({ buckets }: Plan): string => `${buckets.artifacts}-copy`;

/** Buckets, each with the only credential that has a right on it. */
export function storageModule(plan: Plan): Resource[] {
  const folder = moduleFolder("storage");
  const because: Reason[] = [
    { setting: "objectStore.engine", why: "Artifacts, models and backups are in Civo's object store." },
  ];
  return [
    ...terraformFile(`${folder}/main.tf`, because, [
      resource("civo_object_store_credential", "main", {
        for_each: ref("var.buckets"),
        name: ref('"${var.name}-${each.key}"'),
        region: ref("var.region"),
      }),
      commented(
        resource("civo_object_store", "main", {
          for_each: ref("var.buckets"),
          name: ref("each.value"),
          region: ref("var.region"),
          max_size_gb: ref("var.size_gb"),
          access_key_id: ref("civo_object_store_credential.main[each.key].access_key_id"),
          ...protection(plan.environment.tier === "production"),
        }),
        "Without access_key_id Civo makes another credential, and ours has no right on the bucket. Of a bucket that\nexists Civo changes only the size; another name or key would be planned for ever.",
      ),
    ]),
    ...terraformFile(`${folder}/variables.tf`, because, [
      variable("name", "string", "Begins the names of the credentials."),
      variable("region", "string", "Region of the buckets."),
      variable("size_gb", "number", "Most that a bucket holds, in GB."),
      variable("buckets", "map(string)", "Bucket names by user."),
    ]),
    ...terraformFile(`${folder}/outputs.tf`, because, [
      extended(
        output("credentials", ref(CREDENTIALS), "Keys by user."),
        // The provider does not mark them.
        { sensitive: true },
      ),
    ]),
    versionsResource(plan.environment, folder, ["civo"]),
  ];
}

const CREDENTIALS = `{
  for user, credential in civo_object_store_credential.main : user => {
    id     = credential.access_key_id
    secret = credential.secret_access_key
  }
}`;

export function storageInputs(
  plan: Plan,
  region: "main" | "backup",
  target: CivoTarget,
): TerraformBody | undefined {
  const { objectStore } = plan.environment;
  const buckets: Record<string, string> = Object.fromEntries(
    usersIn(plan, region, target).map((user) => [user, plan.buckets[BUCKETS[user]]]),
  );
  if (isCopied(plan, region)) buckets["copies"] = copyBucket(plan);
  if (objectStore.engine !== "civo" || Object.keys(buckets).length === 0) return undefined;
  return {
    source: "./modules/storage",
    name: plan.prefix,
    region: region === "backup" ? target.backupRegion : target.region,
    size_gb: objectStore.sizeGb,
    buckets,
  };
}
