import { expect, test } from "vitest";
import {
  asksForLogin,
  environmentName,
  isLoopback,
  readConfig,
  settingNames,
  settings,
  shownValue,
} from "./config.ts";

test("a flag wins over the environment, which wins over the default", () => {
  const { config, sources } = readConfig(
    { port: "0" },
    { PLINTH_PORT: "1", PLINTH_S3_PORT: "9001", PLINTH_HOST: "" },
  );
  expect(config).toMatchObject({ port: 0, s3Port: 9001, grpcPort: 8081, host: "127.0.0.1" });
  expect(sources).toMatchObject({
    port: "flag",
    s3Port: "environment",
    grpcPort: "default",
    host: "default",
  });
});

test("every setting has a variable of its own, and a default that holds together", () => {
  expect(new Set(settingNames.map((name) => environmentName(settings[name].flag))).size).toBe(
    settingNames.length,
  );
  const { config } = readConfig({}, { HOME: "/home/ada" });
  expect(Object.keys(config)).toEqual(settingNames);
  expect(config.dataDir).toBe(process.getuid?.() === 0 ? "/var/lib/plinth" : "/home/ada/.plinth");
});

test.each([
  [{ prot: "1" }, {}, "Unknown flag --prot; did you mean --port?"],
  [
    {},
    { PLINTH_DATADIR: "/x" },
    "Unknown environment variable PLINTH_DATADIR; did you mean PLINTH_DATA_DIR?",
  ],
  [
    {},
    { PLINTH_PORT: "http" },
    "PLINTH_PORT: 'http' is not valid: it must be a whole number from 0 to 65535.",
  ],
  [{ port: "-1" }, {}, "--port: '-1' is not valid"],
  [{ port: "1e3" }, {}, "--port: '1e3' is not valid"],
  [{ "log-level": "warning" }, {}, "did you mean 'warn'?"],
  [{ "blob-store": "gs://bucket" }, {}, "it must be 'disk' or 's3://bucket/prefix'"],
  [{ insecure: "maybe" }, {}, "it must be true or false"],
  [{ "allowed-hosts": "a b" }, {}, "must be host names"],
  [{ port: "9000" }, {}, "must differ"],
  [{ insecure: true, login: "required" }, {}, "give one of them"],
  [
    { "admin-password-file": "/x" },
    { PLINTH_ADMIN_PASSWORD: "p" },
    "PLINTH_ADMIN_PASSWORD and --admin-password-file must not be given together",
  ],
  [{ "admin-name": "" }, {}, "must be 1 to 255 characters"],
  [{ workers: "2" }, {}, "--workers 2 needs --database-url"],
  [{ "s3-region": "eu-central-1" }, {}, "--s3-region has no effect with --blob-store disk"],
  [{ "blob-store": "s3://bucket", "s3-access-key-id": "a" }, {}, "must be given together"],
])("refuses %j %j", (flags, env, message) => {
  expect(() => readConfig(flags, env)).toThrow(message);
});

test("what Kubernetes sets next to a Service called plinth is no setting", () => {
  const env = {
    PLINTH_PORT: "tcp://10.0.0.1:5000",
    PLINTH_SERVICE_HOST: "10.0.0.1",
    PLINTH_PORT_5000_TCP_ADDR: "10.0.0.1",
  };
  expect(readConfig({}, { ...env, KUBERNETES_SERVICE_HOST: "10.0.0.9" }).config.port).toBe(5000);
  expect(() => readConfig({}, env)).toThrow("PLINTH_SERVICE_HOST");
});

test("a secret is never part of an error or of what is shown", () => {
  expect(() => readConfig({ "s3-secret-access-key": "" }, {})).toThrow("the value given is not valid");
  const url = "postgres://me:s3cret@db/base";
  expect(shownValue("databaseUrl", readConfig({ "database-url": url }, {}).config.databaseUrl)).toBe(
    "(hidden)",
  );
});

test.each(["0.0.0.0", "::", "192.168.1.4", "plinth.example", "[::]"])(
  "on %s everybody must log in, unless --insecure",
  (host) => {
    expect(asksForLogin(readConfig({ host }, {}).config)).toBe(true);
    expect(asksForLogin(readConfig({ host, insecure: true }, {}).config)).toBe(false);
    expect(asksForLogin(readConfig({ host }, { PLINTH_INSECURE: "yes" }).config)).toBe(false);
  },
);

test("on loopback nobody must log in, unless --login required", () => {
  expect(asksForLogin(readConfig({}, {}).config)).toBe(false);
  expect(asksForLogin(readConfig({ login: "required" }, {}).config)).toBe(true);
});

test("the password of the first administrator has a variable and no flag", () => {
  expect(() => readConfig({ "admin-password": "correct horse" }, {})).toThrow(
    "Unknown flag --admin-password; did you mean --admin-password-file?",
  );
  const { config, sources } = readConfig({}, { PLINTH_ADMIN_PASSWORD: "correct horse" });
  expect([config.adminPassword, config.adminName]).toEqual(["correct horse", "admin"]);
  expect(sources.adminPassword).toBe("environment");
  expect(shownValue("adminPassword", config.adminPassword)).toBe("(hidden)");
});

test("variables of commands are known to servers", () => {
  const env = { PLINTH_SERVER: "https://plinth.example", PLINTH_API_KEY: "k", PLINTH_API_KEY_FILE: "f" };
  expect(readConfig({}, env).config.port).toBe(5000);
});

test.each(["127.0.0.1", "127.8.8.8", "::1", "localhost"])("%s is loopback", (host) => {
  expect(isLoopback(host)).toBe(true);
  expect(readConfig({ host }, {}).config.host).toBe(host);
});

test.each(["localhost.example", "127.0.0.1.example", "::ffff:127.0.0.1", "0"])(
  "%s is not taken for loopback",
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
