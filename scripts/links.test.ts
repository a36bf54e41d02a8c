// Every relative link in the project's Markdown leads to a file that exists, and to a heading in it where it names one.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** What git has or would take: dependencies and the data of a running Plinth are no pages of ours. */
const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((page) => page !== "" && existsSync(join(root, page)));

const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;

const withoutCode = (text: string): string =>
  text.replaceAll(/^```.*?^```/gms, "").replaceAll(/`[^`\n]*`/g, "");

/** The anchors that GitHub makes of headings: lower case, words joined by dashes. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^```.*?^```/gms, "").matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  return new Set(
    Array.from(headings, ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}

function broken(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8");
  const wrong: string[] = [];
  for (const [, link = ""] of withoutCode(text).matchAll(LINK)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
    const [path = "", anchor] = decodeURIComponent(link).split("#", 2);
    const target = path === "" ? join(root, page) : resolve(root, dirname(page), path);
    if (!existsSync(target)) wrong.push(`${link}: no such file`);
    else if (anchor !== undefined && statSync(target).isFile() && target.endsWith(".md")) {
      if (!anchorsOf(readFileSync(target, "utf8")).has(anchor)) wrong.push(`${link}: no such heading`);
    }
  }
  return wrong;
}

describe("links", () => {
  test("there are pages to look at", () => {
    expect(pages).toContain("README.md");
  });

  test.each(pages)("of %s lead somewhere", (page) => {
    expect(broken(page)).toEqual([]);
  });
});
