import type { FastifyInstance, FastifyRequest } from "fastify";
import {
  apiKeyChange,
  newApiKeyRequest,
  newS3KeyRequest,
  rotateRequest,
  type ApiKey,
  type S3Key,
  type ShownApiKey,
  type ShownS3Key,
} from "@plinth/contract";
import { loginAccess, manages, reads, type Access } from "../../kernel/access.ts";
import {
  assertUnlimited,
  type ApiKeyRef,
  type ApiKeyRow,
  type Identity,
  type S3KeyRow,
  type ShownKey,
} from "../../modules/identity/index.ts";
import { given, read, requireOwnRow } from "./request.ts";

type Options = { identity: Pick<Identity, "apiKeys" | "s3Keys"> };
type Named = { Params: { name: string; key: string } };
type Owner = { principalId: number } | { name: string };

/** Whose keys a path is about, and what it takes to see and to change them. */
type Holder = {
  path: string;
  reading: Access;
  managing: Access;
  ownerOf(request: FastifyRequest<Named>): Owner;
};

const holders: readonly Holder[] = [
  {
    path: "/console/api/me",
    reading: loginAccess,
    managing: loginAccess,
    ownerOf: (request) => requireOwnRow(request.caller),
  },
  {
    path: "/console/api/principals/:name",
    reading: reads("principal"),
    managing: manages("principal"),
    ownerOf: (request) => ({ name: request.params.name }),
  },
];

/** API keys and S3 keys: one's own, and for administrators those of everybody. */
export function registerKeys(app: FastifyInstance, options: Options): void {
  for (const holder of holders) {
    registerApiKeys(app, options, holder);
    registerS3Keys(app, options, holder);
  }
}

function registerApiKeys(app: FastifyInstance, { identity: { apiKeys } }: Options, holder: Holder): void {
  const reading = { config: { access: holder.reading, protocol: "console" } };
  const managing = { config: { access: holder.managing, protocol: "console" } };
  const path = `${holder.path}/keys`;
  app.get<Named>(path, reading, async (request, reply) => {
    const rows = await apiKeys.listApiKeys(holder.ownerOf(request));
    return reply.send({ keys: rows.map(apiKeyJson) });
  });
  app.post<Named>(path, managing, async (request, reply) => {
    const owner = ownerToChange(request, holder);
    const { name, ...wanted } = read(newApiKeyRequest, request.body);
    about(request, owner, name);
    const shown = await apiKeys.createApiKey(owner, { name, ...keyFields(wanted) });
    return reply.code(201).send(shownJson(shown));
  });
  app.patch<Named>(`${path}/:key`, managing, async (request, reply) => {
    const owner = ownerToChange(request, holder);
    about(request, owner, request.params.key);
    const change = given(read(apiKeyChange, request.body));
    return reply.send(apiKeyJson(await apiKeys.updateApiKey(owner, keyRef(request.params.key), change)));
  });
  app.post<Named>(`${path}/:key/rotate`, managing, async (request, reply) => {
    const owner = ownerToChange(request, holder);
    about(request, owner, request.params.key);
    const { retain_minutes: retainMinutes } = read(rotateRequest, request.body);
    return reply.send(
      shownJson(await apiKeys.rotateApiKey(owner, keyRef(request.params.key), { retainMinutes })),
    );
  });
  app.delete<Named>(`${path}/:key`, managing, async (request, reply) => {
    const owner = ownerToChange(request, holder);
    about(request, owner, request.params.key);
    await apiKeys.deleteApiKey(owner, keyRef(request.params.key));
    return reply.code(204).send();
  });
}

function registerS3Keys(app: FastifyInstance, { identity: { s3Keys } }: Options, holder: Holder): void {
  const reading = { config: { access: holder.reading, protocol: "console" } };
  const managing = { config: { access: holder.managing, protocol: "console" } };
  const path = `${holder.path}/s3-keys`;
  app.get<Named>(path, reading, async (request, reply) => {
    const rows = await s3Keys.listS3Keys(holder.ownerOf(request));
    return reply.send({ keys: rows.map(s3KeyJson) });
  });
  app.post<Named>(path, managing, async (request, reply) => {
    const owner = ownerToChange(request, holder);
    about(request, owner);
    const { row, secretAccessKey } = await s3Keys.createS3Key(
      owner,
      keyFields(read(newS3KeyRequest, request.body)),
    );
    about(request, owner, row.access_key_id);
    return reply
      .code(201)
      .send({ ...s3KeyJson(row), secret_access_key: secretAccessKey } satisfies ShownS3Key);
  });
  app.delete<Named>(`${path}/:key`, managing, async (request, reply) => {
    const owner = ownerToChange(request, holder);
    about(request, owner, request.params.key);
    await s3Keys.deleteS3Key(owner, request.params.key);
    return reply.code(204).send();
  });
}

/** A credential that may less than its principal must not make one that may more. */
function ownerToChange(request: FastifyRequest<Named>, holder: Holder): Owner {
  assertUnlimited(request.caller);
  return holder.ownerOf(request);
}

function about(request: FastifyRequest, owner: Owner, key?: string): void {
  const name = "name" in owner ? owner.name : request.caller.principal?.name;
  request.subject = {
    resourceType: "key",
    ...given({ resourceId: key }),
    details: { principal: name ?? null },
  };
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const keyRef = (key: string): ApiKeyRef => (UUID.test(key) ? { keyId: key } : { name: key });

type Wanted = {
  description?: string | undefined;
  max_permission?: "READ" | "USE" | "EDIT" | undefined;
  workspaces?: string[] | undefined;
  expires_at?: number | undefined;
};

const keyFields = ({ description, max_permission, workspaces, expires_at }: Wanted) =>
  given({ description, maxPermission: max_permission, workspaces, expiresAt: expires_at });

const apiKeyJson = (row: ApiKeyRow): ApiKey => ({
  key_id: row.key_id,
  name: row.name,
  description: row.description,
  max_permission: row.max_permission,
  workspaces: row.workspaces,
  active: row.active,
  expires_at: row.expires_at,
  last_used_at: row.last_used_at,
  last_rotated_at: row.last_rotated_at,
  previous_until: row.previous_until,
  creation_timestamp: row.creation_timestamp,
});

const shownJson = ({ row, key, zenmlKey }: ShownKey): ShownApiKey => ({
  ...apiKeyJson(row),
  key,
  zenml_key: zenmlKey,
});

const s3KeyJson = (row: S3KeyRow): S3Key => ({
  access_key_id: row.access_key_id,
  description: row.description,
  max_permission: row.max_permission,
  workspaces: row.workspaces,
  active: row.active,
  expires_at: row.expires_at,
  last_used_at: row.last_used_at,
  creation_timestamp: row.creation_timestamp,
});
