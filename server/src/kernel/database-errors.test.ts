import { describe, expect, test } from "vitest";
import { isConflict, isConnectionLoss, isDataError, toPlinthError, violates } from "./database-errors.ts";
import { notFound } from "./errors.ts";

const SECRET = 'insert into tracking.params values ("hunter2")';

const failure = (code: string, constraint?: string): Error =>
  Object.assign(new Error(SECRET), { code, ...(constraint === undefined ? {} : { constraint }) });

describe("errors of the database", () => {
  test.each([
    ["40001", "unavailable", 1],
    ["40P01", "unavailable", 1],
    ["57P01", "unavailable", 1],
    ["57P03", "unavailable", 1],
    ["08006", "unavailable", 1],
    ["53300", "unavailable", 1],
    ["53200", "unavailable", 1],
    ["ECONNREFUSED", "unavailable", 1],
    ["ENOENT", "unavailable", 1],
    ["23503", "unavailable", 1],
    ["57014", "statement_timeout", undefined],
    ["53100", "no_space", undefined],
    ["22003", "invalid_parameter", undefined],
    ["22021", "invalid_parameter", undefined],
    ["22P05", "invalid_parameter", undefined],
    ["54000", "invalid_parameter", undefined],
    ["54001", "invalid_parameter", undefined],
    ["42P01", "internal", undefined],
    ["XX000", "internal", undefined],
  ])("%s is %s and shows neither SQL nor data", (code, expected, retryAfterSeconds) => {
    const error = toPlinthError(failure(code));
    expect(error.code).toBe(expected);
    expect(error.retryAfterSeconds).toBe(retryAfterSeconds);
    expect(error.message).not.toContain("insert");
    expect(error.message).not.toContain("hunter2");
  });

  test("an unknown failure keeps its cause for the log", () => {
    const cause = failure("XX000");
    expect(toPlinthError(cause).cause).toBe(cause);
    expect(toPlinthError("a text").code).toBe("internal");
    expect(toPlinthError(null).code).toBe("internal");
  });

  test("Plinth's own errors pass unchanged", () => {
    const error = notFound("x");
    expect(toPlinthError(error)).toBe(error);
  });

  test.each([
    "Connection terminated unexpectedly",
    "Connection terminated due to connection timeout",
    "timeout exceeded when trying to connect",
    "Client has encountered a connection error and is not queryable",
  ])("a cut socket without a code is a lost connection: %s", (message) => {
    expect(isConnectionLoss(new Error(message))).toBe(true);
    expect(toPlinthError(new Error(message)).code).toBe("unavailable");
  });

  test("what is tried again is told from what is not", () => {
    const kinds = (code: string): boolean[] => {
      const error = failure(code);
      return [isConflict(error), isConnectionLoss(error), isDataError(error)];
    };
    expect(kinds("40001")).toEqual([true, false, false]);
    expect(kinds("40P01")).toEqual([true, false, false]);
    expect(kinds("57P02")).toEqual([false, true, false]);
    expect(kinds("22P02")).toEqual([false, false, true]);
    expect(kinds("23505")).toEqual([false, false, true]);
    expect(kinds("42601")).toEqual([false, false, false]);
    expect(isConnectionLoss(new Error("no such row"))).toBe(false);
    expect(isConnectionLoss(undefined)).toBe(false);
  });

  test("a violation is known by its constraint", () => {
    expect(violates(failure("23505", "runs_pkey"), "runs_pkey")).toBe(true);
    expect(violates(failure("23503", "runs_pkey"), "runs_pkey")).toBe(true);
    expect(violates(failure("23505", "tags_pkey"), "runs_pkey")).toBe(false);
    expect(violates(failure("42501", "runs_pkey"), "runs_pkey")).toBe(false);
    expect(violates("runs_pkey", "runs_pkey")).toBe(false);
  });
});
