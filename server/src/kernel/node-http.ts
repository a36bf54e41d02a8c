// `import "node:http"` reads every name of the module, and with `WebSocket` Node's whole copy of undici is loaded:
// 3 MiB and 20 ms of every start, for what Plinth never asks for. These are the same modules without that.
const load = process.getBuiltinModule;

export const http = load("node:http");
export const https = load("node:https");
