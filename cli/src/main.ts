#!/usr/bin/env node
import { run } from "./program.ts";

process.exitCode = await run(process.argv.slice(2));
// A channel to the process that started this one (workers have one) would keep it alive.
if (process.connected) process.exit();
