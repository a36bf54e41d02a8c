import { codeLines } from "./text-lines.ts";
import type { Workspace } from "./workspace.ts";

export type ImageReference = {
  file: string;
  line: number;
  /** With its registry, as written otherwise. */
  repository: string;
  /** Undefined when none is written. A template stays: `v{{ version }}`. */
  tag: string | undefined;
  digest: string | undefined;
};

/** `image: x`, `image = "x"`, `"image": "x"`, `FROM x`: in files that cannot be parsed too. */
const LINE =
  /(?:^|[\s{,"-])(?:image|imageName|baseImage)["']?\s*[:=]\s*["']?(?<image>(?:\{\{[^}]*\}\}|\$\{[^}]*\}|[^\s"',}#{])+)|^FROM\s+(?:--\S+\s+)?(?<from>\S+)/;

const found = new WeakMap<Workspace, ImageReference[]>();

export function imageReferences(workspace: Workspace): readonly ImageReference[] {
  let images = found.get(workspace);
  if (images === undefined) found.set(workspace, (images = findImages(workspace)));
  return images;
}

function findImages(workspace: Workspace): ImageReference[] {
  const found: ImageReference[] = [];
  const stages = new Set<string>();
  for (const { file, line, text } of codeLines(workspace)) {
    const { image, from } = LINE.exec(text)?.groups ?? {};
    if (from !== undefined) {
      const stage = / as (?<stage>\S+)/i.exec(text)?.groups?.["stage"];
      if (stage !== undefined) stages.add(`${file} ${stage}`);
    }
    const written = image ?? from;
    if (written === undefined || from === "scratch" || stages.has(`${file} ${written}`)) continue;
    const reference = referenceOf(written);
    if (reference !== undefined) found.push({ file, line, ...reference });
  }
  return found;
}

/** Undefined for what is no image: a map, a variable, a folder. */
function referenceOf(written: string): Omit<ImageReference, "file" | "line"> | undefined {
  const [name = "", digest] = written.split("@");
  const match = /^(?<repository>(?:[\w.-]+(?::\d+)?\/)?[\w.-]+(?:\/[\w.-]+)*)(?::(?<tag>.+))?$/.exec(name);
  const { repository, tag } = match?.groups ?? {};
  if (repository === undefined || /^[\d.]+$/.test(repository)) return undefined;
  return { repository, tag, digest };
}
