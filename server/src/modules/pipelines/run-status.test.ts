import { describe, expect, it, test } from "vitest";
import {
  goesOn,
  nextStatus,
  refuseStepStatus,
  statusBySteps,
  statusChange,
  type StatusOfRun,
} from "./run-status.ts";

const counts = (text: string): Map<string, number> =>
  new Map(
    text === ""
      ? []
      : text.split(" ").map((one): [string, number] => {
          const [status = "", count = "1"] = one.split(":");
          return [status, Number(count)];
        }),
  );

const run: StatusOfRun = {
  status: "running",
  is_dynamic: false,
  step_count: 2,
  execution_mode: "continue_on_failure",
  parent_run_id: null,
  end_time: null,
  status_reason: null,
};
const asked = (
  status?: string,
  reason?: string,
): { status: string | undefined; reason: string | undefined } => ({
  status,
  reason,
});

describe("the state of a run", () => {
  test.each([
    ["running", "", "running"],
    ["initializing", "cached", "initializing"],
    ["initializing", "cached:2", "completed"],
    ["provisioning", "running", "running"],
    ["running", "completed", "running"],
    ["running", "completed running", "running"],
    ["running", "completed retrying", "running"],
    ["running", "completed skipped", "completed"],
    ["running", "running failed", "failed"],
    ["running", "cancelled completed", "completed"],
    ["failed", "completed:2", "failed"],
    ["stopping", "running completed", "stopping"],
    ["stopping", "failed completed", "stopped"],
    ["running", "stopped running", "stopping"],
    ["running", "stopped completed", "stopped"],
  ])("%s with the steps [%s] is %s", (status, steps, expected) => {
    expect(statusBySteps(status, counts(steps), 2)).toBe(expected);
  });

  it("follows what is asked only where it can", () => {
    const none = counts("");
    expect(nextStatus(run, asked("provisioning"), none)).toBeUndefined();
    expect(() => nextStatus(run, asked("cached"), none)).toThrow("not valid for pipeline runs");
    expect(() => nextStatus(run, asked("resuming"), none)).toThrow("Only failed or paused");
    expect(() => nextStatus({ ...run, status: "completed" }, asked("failed"), none)).toThrow("finished run");
    const dynamic = { ...run, is_dynamic: true };
    expect(nextStatus(dynamic, asked(), counts("failed"))).toBeUndefined();
    expect(nextStatus(dynamic, asked("completed"), none)).toBe("completed");
    expect(nextStatus({ ...dynamic, status: "stopping" }, asked("failed"), none)).toBe("stopped");
    expect(nextStatus({ ...dynamic, status: "failed" }, asked("resuming"), none)).toBe("resuming");
    const child = { ...dynamic, status: "paused", parent_run_id: "p" };
    expect(() => nextStatus(child, asked("resuming"), none)).toThrow("Cannot resume a child run");
  });

  it("ends it once, and begins it anew when it is resumed", () => {
    const change = (of: StatusOfRun, status: string, inProgress: boolean): object =>
      statusChange(of, { status, inProgress, reason: undefined, now: 7 });
    expect(change(run, "completed", false)).toMatchObject({ end_time: 7, in_progress: false });
    expect(change({ ...run, end_time: 3 }, "failed", false)).toMatchObject({ end_time: 3 });
    expect(change({ ...run, status: "failed", end_time: 3 }, "resuming", true)).toMatchObject({
      end_time: null,
    });
    const stopping = { ...run, status: "stopping", status_reason: "asked" };
    expect(change(stopping, "stopped", false)).toMatchObject({ status_reason: "asked" });
    expect(change({ ...run, status_reason: "old" }, "failed", true)).toMatchObject({ status_reason: null });
  });
});

describe("a failed run", () => {
  const step = (name: string, status: string): Parameters<typeof goesOn>[0][number] => ({
    name,
    status,
    start_time: 0,
    latest_heartbeat: null,
    heartbeat_threshold: 10,
  });
  const graph = new Map([
    ["a", []],
    ["b", ["a"]],
    ["c", ["b"]],
    ["d", []],
  ]);

  it("goes on while a branch that did not fail does", () => {
    expect(goesOn([step("a", "failed")], graph, 1)).toBe(true);
    expect(goesOn([step("a", "failed"), step("d", "running")], graph, 1)).toBe(true);
    expect(goesOn([step("a", "failed"), step("d", "completed")], graph, 1)).toBe(false);
    expect(goesOn([step("d", "failed"), step("a", "completed"), step("b", "running")], graph, 1)).toBe(true);
  });

  it("does not wait for steps of which nothing was heard", () => {
    expect(goesOn([step("a", "failed"), step("d", "running")], graph, 11 * 60_000_000)).toBe(false);
  });

  it("goes on while any step does, where the graph is not known", () => {
    expect(goesOn([step("a", "failed"), step("x", "running")], null, 1)).toBe(true);
    expect(goesOn([step("a", "failed")], null, 1)).toBe(false);
  });
});

describe("the state of a step", () => {
  test.each([
    [undefined, "queued"],
    [undefined, "retried"],
    ["completed", "failed"],
    ["stopping", "completed"],
    ["cancelling", "stopped"],
  ])("%s is not followed by %s", (current, next) => {
    expect(() => {
      refuseStepStatus(current, next);
    }).toThrow(/status|transitioned/);
  });

  test.each([
    [undefined, "cached"],
    ["running", "completed"],
    ["stopping", "failed"],
    ["retrying", "stopped"],
  ])("%s is followed by %s", (current, next) => {
    expect(() => {
      refuseStepStatus(current, next);
    }).not.toThrow();
  });
});
