import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteOptions,
} from "fastify";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Access } from "./access.ts";
import { anonymous, type Caller } from "./caller.ts";
import { toPlinthError } from "./database-errors.ts";
import { internal, PlinthError } from "./errors.ts";
import { randomHex32 } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { refuseForeignSite, siteOf } from "./site.ts";
import { answerPreflight, setSiteHeaders } from "./site-headers.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a caller must be allowed to do; a route without it cannot be registered. */
    access?: Access;
    /** Label of the protocol in logs and metrics. */
    protocol?: string;
    /** The body is read as a stream by the handler, for as long as the client sends. */
    streams?: boolean;
  }
  interface FastifyRequest {
    /** Who sends the request; nobody where the route is public. */
    caller: Caller;
    /** Set once it was asked whether the caller may do this; an answer without that does not leave. */
    decided: boolean;
    /** What the request is about, for the audit log; set by the endpoint. */
    subject: AuditSubject | undefined;
  }
}

export type AuditSubject = {
  resourceType?: string;
  resourceId?: string;
  workspace?: string;
  /** Whether the answer holds a secret. */
  reveals?: boolean;
  details?: Readonly<Record<string, string | number | boolean | null>>;
};

/** Renders an error the way a protocol's clients expect it. */
export type RenderError = (error: PlinthError, reply: FastifyReply) => FastifyReply;

export type HttpOptions = {
  /** The socket, which already listens and is closed by its owner. */
  server: Server;
  /** True while the server stops: connections are closed after their answer. */
  draining(): boolean;
  requestTimeoutMs: number;
  log: Log;
  metrics: Metrics;
  maxBodyBytes: number;
  maxConcurrentRequests: number;
  /** Names by which this server may be addressed besides IP literals and localhost; "*" is any. */
  allowedHosts: readonly string[];
  /** Other origins whose pages may ask, with credentials in a header and never by cookie. */
  corsOrigins?: readonly string[];
  /** The address this server is known by. */
  publicUrl?: URL | undefined;
  /** Addresses and networks of proxies whose word about the client is taken: `X-Forwarded-For`, `-Host`, `-Proto`. */
  trustedProxies?: readonly string[];
  /** Who sends a request, by its credentials. Throws `unauthenticated` for bad ones. */
  authenticate(request: FastifyRequest, access: Access): Caller | Promise<Caller>;
  /**
   * Throws when the caller may do nothing of what the route declares; false where the endpoint has to ask for the
   * objects that the request names.
   */
  admit(caller: Caller, access: Access): boolean | Promise<boolean>;
  /** Before an answer leaves that is no error; it waits for the promise. */
  onAnswer?(request: FastifyRequest, reply: FastifyReply): Promise<void> | undefined;
  /** For every error that is answered. */
  onError?(request: FastifyRequest, error: PlinthError): void;
  /** Chooses the dialect of errors that happen before a route is known. */
  renderError(url: string): RenderError;
};

export type RouteEntry = { method: string; url: string; access: Access; protocol: string };

export type HttpServer = {
  app: FastifyInstance;
  /** Answers a request, once `app.ready()` has resolved. */
  handler: RequestListener;
  /** Every route of every protocol, for the test that walks them. */
  routes: readonly RouteEntry[];
};

const noSchemas = (): never => {
  throw new Error("routes declare no JSON schemas");
};

export function createHttpServer(options: HttpOptions): HttpServer {
  const routes: RouteEntry[] = [];
  let inFlight = 0;
  let handler: RequestListener = () => undefined;
  const { corsOrigins = [], trustedProxies = [], publicUrl } = options;
  const sites = { allowedHosts: options.allowedHosts, corsOrigins };
  const app: FastifyInstance = fastify({
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: options.maxBodyBytes,
    // Names and tag keys in paths may be long; the header limit of Node itself is 16 KiB.
    routerOptions: { maxParamLength: 8192, ignoreTrailingSlash: false },
    logger: false,
    genReqId: () => randomHex32(),
    requestIdHeader: false,
    // Bodies are checked with zod. Fastify's own compilers of JSON schemas are not even loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    // Addresses that no route can be looked for: neither hooks nor the error handler see them.
    frameworkErrors(error, request, reply) {
      setSiteHeaders(request, reply, options);
      options.renderError(request.url)(asPlinthError(error), reply);
    },
    serverFactory(answer: (request: IncomingMessage, response: ServerResponse) => void): Server {
      handler = answer;
      return options.server;
    },
  });

  const beforeAnswer: SendHook = (request, reply, ...[payload, done]) => {
    const under = options.onAnswer?.(request, reply);
    if (under === undefined) done(null, payload);
    else
      under.then(
        () => done(null, payload),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
  };
  app.decorateRequest("site", {
    getter(this: FastifyRequest) {
      return siteOf(this, publicUrl);
    },
  });
  app.decorateRequest("caller");
  app.decorateRequest("decided", false);
  app.decorateRequest("subject");
  app.addHook("onRoute", (route: RouteOptions) => {
    const { access, protocol } = route.config ?? {};
    if (access === undefined || protocol === undefined) {
      throw new Error(`Route ${String(route.method)} ${route.url} declares no access or no protocol.`);
    }
    if (access.kind !== "public") {
      const hooks = [...[route.onSend ?? []].flat(), refuseUndecided, beforeAnswer];
      route.onSend = hooks as NonNullable<RouteOptions["onSend"]>;
    }
    for (const method of [route.method].flat()) routes.push({ method, url: route.url, access, protocol });
  });

  app.addHook("onRequest", (request, reply, done) => {
    inFlight += 1;
    options.metrics.requestsInFlight.set(inFlight);
    // `close` comes for every request, `onResponse` not for one whose client hung up.
    reply.raw.once("close", () => {
      inFlight -= 1;
      options.metrics.requestsInFlight.set(inFlight);
    });
    reply.header("x-request-id", request.id);
    setSiteHeaders(request, reply, options);
    if (options.draining()) reply.header("connection", "close");
    // Probes are answered also under load: whoever asks would stop a process that is only busy.
    const isProbe = request.routeOptions.config.protocol === "ops";
    if (inFlight > options.maxConcurrentRequests && !isProbe) {
      options.metrics.requestsRefused.inc({ reason: "concurrency" });
      done(
        new PlinthError(
          "too_many_requests",
          "The server is answering as many requests as it may. Try again.",
          {
            retryAfterSeconds: 1,
          },
        ),
      );
      return;
    }
    if (corsOrigins.length > 0 && answerPreflight(request, reply, corsOrigins)) return;
    const refusal = refuseForeignSite(request, sites);
    if (refusal !== undefined) {
      options.metrics.requestsRefused.inc({ reason: "foreign_site" });
      request.caller = anonymous(request.ip);
      done(refusal);
      return;
    }
    const access = request.routeOptions.config.access;
    if (access === undefined || access.kind === "public") {
      request.caller = anonymous(request.ip);
      request.decided = true;
      done();
      return;
    }
    admitCaller(request, access, options, done);
  });

  app.addHook("onResponse", (request, reply, done) => {
    if (!request.raw.complete) drainBody(request);
    const { config, url = "unknown" } = request.routeOptions;
    const status = String(reply.statusCode);
    options.metrics.requestDuration.observe(
      { protocol: config.protocol ?? "none", method: request.method, route: url, status },
      reply.elapsedTime / 1000,
    );
    if (options.log.isLevelEnabled("debug")) {
      options.log.debug({ requestId: request.id, method: request.method, route: url, status }, "answered");
    }
    done();
  });

  if (options.requestTimeoutMs > 0) limitReceiving(app, options);

  app.setErrorHandler((error, request, reply) => {
    const known = asPlinthError(error);
    options.onError?.(request, known);
    if (known.code === "internal") {
      options.log.error(
        { requestId: request.id, url: request.routeOptions.url, err: known.cause ?? error },
        "failed",
      );
    }
    return options.renderError(request.url)(known, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = [
      ...new Set(routes.filter((route) => matches(route.url, path)).map((route) => route.method)),
    ];
    if (allowed.length > 0) reply.header("allow", allowed.join(", "));
    const error =
      allowed.length > 0
        ? new PlinthError(
            "method_not_allowed",
            `${path} answers ${allowed.join(", ")}, not ${request.method}.`,
          )
        : new PlinthError("unknown_endpoint", `No endpoint ${request.method} ${path}.`);
    return options.renderError(request.url)(error, reply);
  });
  return { app, routes, handler: (request, response) => handler(request, response) };
}

const nobody = anonymous("");

/** Nothing is waited for where the credentials and what they allow are known. */
function admitCaller(
  request: FastifyRequest,
  access: Access,
  ...[{ authenticate, admit }, done]: [options: HttpOptions, done: (error?: Error) => void]
): void {
  request.caller = nobody;
  const fail = (error: unknown): void => {
    if (request.caller === nobody) request.caller = anonymous(request.ip);
    done(error instanceof Error ? error : new Error(String(error)));
  };
  const settle = (decided: boolean): void => {
    request.decided = decided;
    done();
  };
  const known = (caller: Caller): void => {
    request.caller = caller;
    const decided = admit(caller, access);
    if (decided instanceof Promise) decided.then(settle, fail);
    else settle(decided);
  };
  try {
    const caller = authenticate(request, access);
    if (caller instanceof Promise) caller.then(known).catch(fail);
    else known(caller);
  } catch (error) {
    fail(error);
  }
}

/** An endpoint that never asked whether its caller may do this is wrong, whatever it answers. */
const refuseUndecided: SendHook = (request, reply, ...[payload, done]) => {
  if (request.decided || reply.statusCode >= 400) done(null, payload);
  else done(internal(`${request.routeOptions.url ?? ""} answered without asking who may do this.`));
};

type SendHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  ...rest: [payload: unknown, done: (error: Error | null, payload?: unknown) => void]
) => void;

/**
 * Refused while it was still sending, a client such as Python's `requests` reads the answer only when all is
 * sent: what comes is thrown away for a while, where it would wait for a reader until the connection times out.
 */
function drainBody(request: FastifyRequest): void {
  request.raw.resume();
  const timer = setTimeout(() => {
    if (!request.raw.complete) request.raw.destroy();
  }, DRAIN_BODY_MS);
  request.raw.once("close", () => clearTimeout(timer));
  timer.unref();
}

const DRAIN_BODY_MS = 10_000;

/** A caller that sends its body drop by drop must not hold a place for ever; streamed uploads may. */
function limitReceiving(app: FastifyInstance, options: HttpOptions): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  app.addHook("preParsing", async (request, _reply, payload) => {
    if (request.routeOptions.config.streams !== true && request.headers["content-length"] !== "0") {
      const timer = setTimeout(() => {
        options.metrics.requestsRefused.inc({ reason: "slow_body" });
        request.raw.destroy();
      }, options.requestTimeoutMs);
      timers.set(request, timer.unref());
      request.raw.once("close", () => clearTimeout(timer));
    }
    return payload;
  });
  app.addHook("preHandler", (request, _reply, done) => {
    clearTimeout(timers.get(request));
    done();
  });
}

const cutBody = (cause: unknown): PlinthError =>
  new PlinthError("bad_request", "The connection closed before the body was complete.", { cause });

/** Maps what Fastify itself throws (limits, bad encodings) to the one error type. */
export function asPlinthError(error: unknown): PlinthError {
  if (error instanceof PlinthError) return error;
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  // The caller hung up. The database's own ECONNRESET has another message.
  if (code === "ECONNRESET" && error instanceof Error && error.message === "aborted") return cutBody(error);
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new PlinthError("too_large", "The request's body is larger than this server accepts.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new PlinthError(
        "invalid_parameter",
        "Bad Request. Content-Type must be one of ['application/json'].",
      );
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new PlinthError("bad_request", "The body ended before its announced length.");
    case "FST_ERR_BAD_URL":
      return new PlinthError("bad_request", "The address holds a broken percent-encoding.");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new PlinthError("bad_request", "A part of the address is longer than this server accepts.");
    case "ERR_STREAM_PREMATURE_CLOSE":
      return cutBody(error);
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return new PlinthError("bad_request", "The body is not JSON.");
    default:
      // Of the database, or nobody knows of what.
      return toPlinthError(error);
  }
}

/** Whether a path belongs to a route's template, such as `/a/:id` or `/files/*`. */
function matches(template: string, path: string): boolean {
  const wanted = template.split("/");
  const given = path.split("/");
  const open = wanted.at(-1) === "*";
  if (open ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((part, index) => part === "*" || part.startsWith(":") || part === given[index]);
}
