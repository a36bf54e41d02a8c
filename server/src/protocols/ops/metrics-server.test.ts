import { expect, test } from "vitest";
import { createMetrics } from "../../kernel/metrics.ts";
import { startTestServer } from "../../../test/harness.ts";
import { startMetricsServer } from "./metrics-server.ts";

test("metrics have a port of their own, without a login and with nothing else", async () => {
  let address: string;
  {
    await using server = await startTestServer({ login: "required", "metrics-port": "0" });
    address = server.app.metricsAddress ?? "";
    const there = (path: string, method = "GET"): Promise<Response> => fetch(address + path, { method });
    const answer = await there("/metrics");
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("plinth_http_request_duration_seconds");
    for (const path of ["/", "/health", "/console/api/status", "/api/2.0/mlflow/experiments/search"]) {
      expect([path, (await there(path)).status]).toEqual([path, 404]);
    }
    expect((await there("/metrics", "POST")).status).toBe(404);
    expect((await server.get("/metrics")).status).toBe(401);
    const taken = { host: "127.0.0.1", port: Number(new URL(address).port) };
    await expect(startMetricsServer(createMetrics(), taken)).rejects.toThrow(
      `Port ${taken.port} on 127.0.0.1 is in use`,
    );
  }
  await expect(fetch(`${address}/metrics`)).rejects.toThrow("fetch failed");
});
