#!/usr/bin/env node
// How a checkout starts Plinth. What Node makes of the source (types stripped, code compiled) is kept beside the
// dependencies: the next start takes half the time and less memory, because Node's compiler of types is not even
// loaded; for that, this one file has no types. Where the folder cannot be written, nothing is kept.
import { enableCompileCache } from "node:module";
import { join } from "node:path";

enableCompileCache(join(import.meta.dirname, "..", "..", "node_modules", ".cache", "plinth"));
await import("./main.ts");
