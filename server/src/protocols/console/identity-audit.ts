import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { auditExportRequest, auditRequest, type AuditEvents } from "@plinth/contract";
import { reads } from "../../kernel/access.ts";
import type { AuditFilter, Identity } from "../../modules/identity/index.ts";
import { given, pageToken, read } from "./request.ts";

type Options = { identity: Pick<Identity, "audit"> };

const config = { access: reads("audit"), protocol: "console" } as const;

/** Who did what: searched in pages, or all of it as lines of JSON. */
export function registerAudit(app: FastifyInstance, { identity: { audit } }: Options): void {
  app.get("/console/api/audit", { config }, async (request, reply) => {
    const { max_results: maxResults, page_token, ...wanted } = read(auditRequest, request.query);
    const page = await audit.search(filterOf(wanted), { maxResults, pageToken: page_token });
    return reply.send({
      events: page.events,
      ...pageToken(page.nextPageToken),
    } satisfies AuditEvents);
  });
  app.get("/console/api/audit/export", { config }, (request, reply) => {
    const pages = audit.export(filterOf(read(auditExportRequest, request.query)));
    return reply
      .type("application/x-ndjson")
      .header("content-disposition", 'attachment; filename="audit.jsonl"')
      .send(Readable.from(lines(pages), { objectMode: false }));
  });
}

async function* lines(pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map((event) => `${JSON.stringify(event)}\n`).join("");
}

const filterOf = (wanted: z.infer<typeof auditExportRequest>): AuditFilter => {
  const { resource_type, resource_id, ...same } = wanted;
  return given({ ...same, resourceType: resource_type, resourceId: resource_id });
};
