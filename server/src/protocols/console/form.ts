import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { badRequest, permissionDenied } from "../../kernel/errors.ts";
import { readCookie, refuseForgery, setCookie } from "../../modules/identity/index.ts";
import { escape } from "./page.ts";

const COOKIE = "plinth_form";
const COOKIE_VALUE = /^[\w-]{43}$/;
const FIELD = "form_token";
const MAX_FORM_BYTES = 16 * 1024;

/** Takes what browsers send of a form, and nothing else. */
export function parseForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string", bodyLimit: MAX_FORM_BYTES },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
}

const tokenOf = (value: string): string =>
  createHash("sha256").update(`plinth form ${value}`).digest("base64url");

/** Values that an answer sets: all forms of a page go with one cookie. */
const begun = new WeakMap<FastifyRequest, string>();

/**
 * The hidden field of every form, which goes with a cookie of this browser: also who is not logged in yet cannot be
 * made to send one from elsewhere (login CSRF, CVE-2025-1473).
 */
export function formToken(request: FastifyRequest, reply: FastifyReply): string {
  let value = begun.get(request) ?? readCookie(request, COOKIE);
  if (value === undefined || !COOKIE_VALUE.test(value)) {
    value = randomBytes(32).toString("base64url");
    begun.set(request, value);
    reply.header("set-cookie", setCookie(request, { name: COOKIE, value }));
  }
  return `<input type="hidden" name="${FIELD}" value="${tokenOf(value)}">`;
}

/** A login and a logout begin a new one: whoever knew the last one knows nothing. */
export const forgetFormToken = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
  reply.header("set-cookie", setCookie(request, { name: COOKIE, value: "", maxAgeSeconds: 0 }));

export type Form = {
  /** Empty where the field was not sent. */
  text(name: string): string;
  /** Of a box that was ticked. */
  has(name: string): boolean;
};

/** The fields of a form that this browser got from this server. Throws `permission_denied` for any other. */
export function readForm(request: FastifyRequest): Form {
  refuseForgery(request);
  const fields = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  const value = readCookie(request, COOKIE);
  const sent = Buffer.from(fields.get(FIELD) ?? "");
  const expected = Buffer.from(tokenOf(value ?? ""));
  const isOurs = value !== undefined && COOKIE_VALUE.test(value) && sent.length === expected.length;
  if (!isOurs || !timingSafeEqual(sent, expected)) {
    throw permissionDenied(
      "This form is not one that this browser was given, or its cookies are switched off. Go back, load the page again, and repeat.",
    );
  }
  return {
    text(name) {
      const values = fields.getAll(name);
      if (values.length > 1) throw badRequest(`The field '${name}' was sent more than once.`);
      return values[0] ?? "";
    },
    has: (name) => fields.has(name),
  };
}

export type Note = { kind: "good" | "bad"; text: string };

/** What came of the last form; screen readers say it at once. */
export const shownNote = (note: Note | undefined): string =>
  note === undefined
    ? ""
    : `<p class="note ${note.kind}" role="${note.kind === "bad" ? "alert" : "status"}">${escape(note.text)}</p>`;
