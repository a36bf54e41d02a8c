export { serverStatus, type ServerStatus } from "./status.ts";
