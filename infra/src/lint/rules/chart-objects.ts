import { isTemplated } from "../../schemas/templated.ts";
import type { HelmRelease } from "../workspace.ts";
import { at } from "./kubernetes-objects.ts";

/** What known charts create, so that references to it can be followed. Read from the charts' templates. */

export type ChartService = {
  name: string;
  ports: readonly (number | string)[];
  labels: Readonly<Record<string, string>>;
};

/** The chart behind a release, also where it is called otherwise. */
export const chartName = ({ chart }: HelmRelease): string => (chart === "zenml-server" ? "zenml" : chart);

/** Helm's usual full name: the release, with the chart behind it unless it has it in it. */
function fullName(release: HelmRelease, chart: string): string | undefined {
  const override = at(release.values?.value, "fullnameOverride");
  if (typeof override === "string" && override !== "") return isTemplated(override) ? undefined : override;
  const { releaseName } = release;
  const name = at(release.values?.value, "nameOverride");
  if (releaseName === undefined || isTemplated(releaseName) || (name !== undefined && name !== ""))
    return undefined;
  return releaseName.includes(chart) ? releaseName : `${releaseName}-${chart}`;
}

/** The only Service of a release; undefined where the chart makes several, or is not known. */
export function serviceOf(release: HelmRelease): ChartService | undefined {
  const chart = chartName(release);
  const name = fullName(release, chart);
  if (name === undefined) return undefined;
  const labels = { "app.kubernetes.io/name": chart, "app.kubernetes.io/instance": release.releaseName ?? "" };
  switch (chart) {
    case "zenml": {
      const port =
        at(release.values?.value, "server", "service", "port") ??
        at(release.values?.value, "zenml", "service", "port") ??
        80;
      return typeof port === "number" ? { name, ports: [port, "http"], labels } : undefined;
    }
    case "mlflow": {
      // Other publishers have a chart of this name that makes other Services.
      if (!/community-charts|mlflow\.org|mlflow\/mlflow/.test(release.repository ?? "")) return undefined;
      const port = at(release.values?.value, "service", "port") ?? 80;
      return typeof port === "number" ? { name, ports: [port], labels } : undefined;
    }
    default:
      return undefined;
  }
}
