import { afterAll, expect, test } from "vitest";
import { certificate, startService } from "../../../test/services/service.ts";
import { createOutbound } from "./outbound.ts";

const service = await startService(({ method }) => ({ body: method }), { tls: true });
afterAll(() => service[Symbol.asyncDispose]());

const outbound = createOutbound({ allowed: ["localhost"], userAgent: "test" });
const ask = (tls?: object): ReturnType<typeof outbound.send> =>
  outbound.send({
    url: service.url,
    method: "HEAD",
    timeoutMs: 5000,
    maxResponseBytes: 100,
    ...(tls === undefined ? {} : { tls }),
  });

test("a request has an authority and a certificate of its own, or checks nothing where it says so", async () => {
  const { cert, key } = certificate;
  expect(await ask({ ca: cert })).toMatchObject({ status: 200, body: Buffer.from("") });
  await ask({ ca: cert, cert, key });
  await ask({ insecure: true });
  expect(service.asked.map((one) => [one.method, one.hasCertificate])).toEqual([
    ["HEAD", false],
    ["HEAD", true],
    ["HEAD", false],
  ]);
  // None of that is there for the next one.
  await expect(ask()).rejects.toMatchObject({ kind: "connection" });
});
