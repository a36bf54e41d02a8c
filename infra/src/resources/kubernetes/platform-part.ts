import { namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { Reason } from "../resource.ts";
import { charts, customResources } from "../versions.ts";
import type { Application, PlatformPart, Source } from "./application.ts";
import { overlayFolder } from "./part.ts";

/** What parts of the platform are made from. */

type ChartName = keyof typeof charts;

export const chart = (
  name: ChartName,
  more: { release?: string; values?: object; skipCrds?: boolean } = {},
): Source => ({
  kind: "chart",
  chart: charts[name],
  release: more.release ?? name,
  ...(more.values === undefined ? {} : { values: more.values }),
  ...(more.skipCrds === true ? { skipCrds: true } : {}),
});

export const upstream = (name: keyof typeof customResources, because: readonly Reason[]): PlatformPart => ({
  name,
  title: "Custom resources, before anything that uses them",
  namespace: namespaces.argoCd,
  after: [],
  sources: [{ kind: "upstream", ...customResources[name] }],
  because,
  serverSide: true,
  keep: true,
  workloads: [],
});

export const reason = (setting: string, why: string): Reason => ({ setting, why });

export const folder = (plan: Plan, name: string): Source => ({
  kind: "folder",
  path: overlayFolder(plan, name),
});

type Defined = Pick<Application, "name" | "title" | "namespace" | "because"> &
  Partial<PlatformPart> & { sources: readonly Source[] };

/** A part that waits for the namespaces, unless it says for what else. */
export const part = (defined: Defined): PlatformPart => ({
  after: ["namespaces"],
  workloads: [],
  ...defined,
});
