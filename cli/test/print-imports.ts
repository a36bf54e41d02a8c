// Loaded with --import: says on standard error which modules are loaded.
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    process.stderr.write(`${found.url}\n`);
    return found;
  },
});
