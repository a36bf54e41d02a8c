import { expect, test } from "vitest";
import { describeConnection, parseDatabaseUrl } from "./connection.ts";

const first = (url: string) => parseDatabaseUrl(url).candidates[0];

test("reads every part, percent-encoding and all", () => {
  expect(
    first("postgres://me%40corp:p%3A%2Fw%25@db.example:6543/my%20base?sslmode=disable&options=-c%20a.b%3Dc"),
  ).toEqual({
    host: "db.example",
    port: 6543,
    user: "me@corp",
    password: "p:/w%",
    database: "my base",
    ssl: false,
    options: "-c a.b=c",
  });
});

test.each([
  ["postgresql://me@[::1]/base?sslmode=disable", { host: "::1", port: 5432, database: "base", password: "" }],
  ["postgres://me:pw@db?sslmode=disable", { host: "db", database: "me" }],
  ["postgres://me@%2Fvar%2Frun%2Fpg/base", { host: "/var/run/pg", ssl: false }],
  ["postgres://me@%2Fvar%2Frun%2Fpg:6000/base", { host: "/var/run/pg", port: 6000 }],
  [
    "postgres:///base?host=/run/pg&user=me&password=pw&port=7000",
    { host: "/run/pg", port: 7000, user: "me", password: "pw" },
  ],
  ["postgres://me@/base?sslmode=disable", { host: "localhost" }],
  ["POSTGRES://me@db/base?dbname=other", { database: "other" }],
])("reads %s", (url, expected) => {
  expect(first(url)).toMatchObject(expected);
});

test("tries what each sslmode of libpq says, in its order", () => {
  const ssl = (mode: string): unknown[] =>
    parseDatabaseUrl(`postgres://me@db/base${mode === "" ? "" : `?sslmode=${mode}`}`).candidates.map(
      (candidate) => candidate.ssl,
    );
  const unchecked = { rejectUnauthorized: false };
  expect(ssl("disable")).toEqual([false]);
  expect(ssl("allow")).toEqual([false, unchecked]);
  expect(ssl("prefer")).toEqual([unchecked, false]);
  expect(ssl("")).toEqual(ssl("prefer"));
  expect(ssl("require")).toEqual([unchecked]);
  expect(ssl("verify-ca")).toMatchObject([
    { rejectUnauthorized: true, checkServerIdentity: expect.any(Function) },
  ]);
  expect(ssl("verify-full")).toEqual([{ rejectUnauthorized: true }]);
});

test.each([
  ["mysql://me:s3cret@db/base", "the scheme 'mysql:'"],
  ["db/base", "it has no scheme"],
  ["postgres://db/base", "it names no user"],
  ["postgres://me:s3cret@db:99999/base", "it cannot be parsed"],
  ["postgres://me:s3%zz@db/base", "the percent-encoding of its password is broken"],
  [
    "postgres://me:s3cret@db/base?sslmod=require",
    "its parameter 'sslmod' is not known; did you mean 'sslmode'?",
  ],
  ["postgres://me:s3cret@db/base?sslmode=verify", "sslmode 'verify' is not one of"],
  ["postgres://me:s3cret@db/base?sslmode=disable&sslmode=require", "its parameter 'sslmode' is given twice"],
  [
    "postgres://me:s3cret@db/base?sslmode=verify-ca&sslrootcert=/nowhere/ca.pem",
    "the file of sslrootcert, /nowhere/ca.pem, cannot be read (ENOENT)",
  ],
  ["postgres://me:s3cret@db/base?sslcert=package.json", "sslcert and sslkey must be given together"],
  ["postgres://me:s3cret@%2Frun/base?sslmode=require", "sslmode=require cannot be met on a Unix socket"],
  ["postgres://me:s3cret@/base?host=a,b", "several hosts are not supported"],
  ["postgres://me:s3cret@db/base?target_session_attrs=standby", "Plinth needs a server that accepts writes"],
  ["postgres://me:s3cret@db/base?channel_binding=require", "channel_binding=require cannot be enforced"],
  ["postgres://me:s3cret@db/base?port=abc", "port 'abc' is not a number"],
])("refuses %s without repeating the password", (url, message) => {
  let said = "";
  try {
    parseDatabaseUrl(url);
  } catch (error) {
    said = String(error);
  }
  expect(said).toContain(message);
  expect(said).not.toContain("s3cret");
});

test("describes a connection without its password", () => {
  expect(describeConnection(first("postgres://me:s3cret@[::1]/base"))).toBe(
    "database 'base' at [::1]:5432 as user 'me'",
  );
});
