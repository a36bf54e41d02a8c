import { imageReferences, type ImageReference } from "../image-references.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Workspace } from "../workspace.ts";
import { filledIn } from "./jinja-variables.ts";
import { compareVersions } from "../../schemas/versions.ts";

type Image = Omit<ImageReference, "file" | "line">;

/** What is wrong with an image, and what to take instead. */
type Verdict = { message: string; remedy: string };

type Judge = (image: Image, workspace: Workspace) => Verdict | undefined;

function imageRule(rule: Omit<Rule, "check">, judge: Judge): Rule {
  return {
    ...rule,
    *check(workspace): Iterable<Problem> {
      for (const { file, line, ...image } of imageReferences(workspace)) {
        const verdict = judge(image, workspace);
        if (verdict !== undefined) yield { file, line, ...verdict };
      }
    },
  };
}

/** Docker Hub may be written out or not. */
const named = (repository: string): string =>
  repository.replace(/^(?:docker\.io|index\.docker\.io)\//, "").replace(/^library\//, "");

const ENDED: readonly { repository: RegExp; message: string; remedy: string }[] = [
  {
    repository: /^(?:quay\.io\/)?minio\/(?:minio|mc|operator|console)$/,
    message: "MinIO's community edition is ended: no images and no fixes since October 2025",
    remedy:
      "Use the object store of the cloud (Civo, Google Cloud Storage), or a maintained S3 server that you chose on purpose.",
  },
];

export const endedImage = imageRule(
  {
    id: "image/ended",
    severity: "warning",
    covers: ["E23"],
    title: "an image that nobody maintains any more",
    why: "Known holes in it stay open: MinIO's repository was archived in April 2026, and RELEASE.2024-10-02 has CVEs without a fix.",
    remedy: "Use something that is maintained.",
  },
  ({ repository }) => {
    const found = ENDED.find((one) => one.repository.test(named(repository)));
    return found === undefined ? undefined : { message: found.message, remedy: found.remedy };
  },
);

export const mlflowImage = imageRule(
  {
    id: "image/mlflow-without-drivers",
    severity: "error",
    covers: ["E28"],
    title: "MLflow's plain image, which has no drivers for databases and buckets",
    why: "The default image is `pip install mlflow` and nothing else: no psycopg2, PyMySQL, boto3 or google-cloud-storage, so a server on PostgreSQL and S3 stops at its start. Images with them end in -full, from 3.9.0 on.",
    remedy: "Use ghcr.io/mlflow/mlflow:v<3.9.0 or newer>-full, or an image of your own with the drivers.",
  },
  ({ repository, tag: written }, workspace) => {
    if (repository !== "ghcr.io/mlflow/mlflow") return undefined;
    // A variable at the end may bring -full with it: then only its value tells.
    const tag = filledIn(workspace, written);
    if (tag === undefined || tag.endsWith("}")) return undefined;
    const remedy =
      "Use ghcr.io/mlflow/mlflow:v<3.9.0 or newer>-full, or an image of your own with the drivers.";
    if (!tag.endsWith("-full")) {
      return {
        message: `ghcr.io/mlflow/mlflow:${tag} has no drivers for databases and object stores`,
        remedy,
      };
    }
    const older = compareVersions(tag.slice(0, -"-full".length), "3.9.0");
    return older !== undefined && older < 0
      ? { message: `There is no ${tag}: images ending in -full begin with 3.9.0`, remedy }
      : undefined;
  },
);

export const floatingTag = imageRule(
  {
    id: "image/floating-tag",
    severity: "warning",
    covers: [],
    title: "an image without a version",
    why: "Which program runs depends on when a node pulled it: two pods may run two versions, and nothing can be rolled back.",
    remedy: "Write the version, best with its digest.",
  },
  ({ repository, tag, digest }) => {
    // A name without a registry, tag or slash may be a key of something else.
    if (digest !== undefined || (tag === undefined && !repository.includes("/"))) return undefined;
    if (tag !== undefined && !["latest", "main", "master", "edge", "nightly"].includes(tag)) return undefined;
    const remedy = "Write the version, best with its digest.";
    return { message: `${repository} has ${tag === undefined ? "no tag" : `the tag ${tag}`}`, remedy };
  },
);

/** The minor release of each line in November 2025: older ones lack its fixes. */
const POSTGRES = new Map([
  [14, 20],
  [15, 15],
  [16, 11],
  [17, 7],
  [18, 1],
]);

export const oldPostgres = imageRule(
  {
    id: "image/old-postgres",
    severity: "warning",
    covers: ["E26"],
    title: "PostgreSQL without the fixes of years",
    why: "Minor releases of PostgreSQL hold only fixes of holes and of lost data; they need no migration.",
    remedy: "Take the newest minor release of the line, and say it with its digest.",
  },
  ({ repository, tag }) => {
    if (named(repository) !== "postgres") return undefined;
    const [, line, minor] = /^(\d+)\.(\d+)(?:-|$)/.exec(tag ?? "") ?? [];
    const current = POSTGRES.get(Number(line));
    const remedy = "Take the newest minor release of the line, and say it with its digest.";
    if (line !== undefined && Number(line) < 14) return { message: `PostgreSQL ${line} has ended`, remedy };
    return current !== undefined && Number(minor) < current
      ? { message: `PostgreSQL ${line}.${minor} lacks the fixes up to ${line}.${current}`, remedy }
      : undefined;
  },
);

export const mixedPinning: Rule = {
  id: "image/not-pinned",
  severity: "info",
  covers: [],
  title: "an image by tag, where others are pinned by digest",
  why: "A tag can be moved to another image. Files that pin some images by digest mean to pin all.",
  remedy: "Add the digest: name:tag@sha256:...",
  *check(workspace) {
    const images = imageReferences(workspace);
    const pinning = new Set(images.filter(({ digest }) => digest !== undefined).map(({ file }) => file));
    for (const { file, line, repository, tag, digest } of images) {
      if (!pinning.has(file) || digest !== undefined || tag === undefined || /[{$]/.test(tag)) continue;
      yield { file, line, message: `${repository}:${tag} has no digest, and other images here have one` };
    }
  },
};

export const imageRules: readonly Rule[] = [endedImage, mlflowImage, floatingTag, oldPostgres, mixedPinning];
