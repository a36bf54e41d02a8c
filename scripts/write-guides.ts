// Writes the pages of docs/ that are made from code. Tests fail when they are out of date.
import { writeFileSync } from "node:fs";
import { configurationGuide } from "../cli/src/configuration-guide.ts";

writeFileSync(new URL("../docs/guides/configuration.md", import.meta.url), configurationGuide());
