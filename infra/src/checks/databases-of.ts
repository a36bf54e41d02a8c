import type { Environment } from "../spec/platform.ts";
import type { SettingPath } from "../spec/resolve.ts";
import type { Database } from "../spec/state.ts";

/** The databases of an environment, with the path of their settings. */
export function databasesOf({
  tracking,
  pipelines,
}: Environment): { path: SettingPath; component: string; database: Database }[] {
  return [
    { path: ["tracking", "database"], component: "tracking", database: tracking.database },
    ...(pipelines.engine === "none"
      ? []
      : [{ path: ["pipelines", "database"], component: "pipelines", database: pipelines.database }]),
  ];
}
