// Builds what the suites of this folder need. `.ci/run` starts it early and in the background, so that the suites find it done.
import { ensurePrograms, modules } from "./tools.ts";

for (const module of modules) await ensurePrograms(module);
