/** What is said of one route: the one source of the OpenAPI document and of docs/api.md. */
import type { ErrorCode } from "../../core/errors.ts";
import type { Shape } from "./shapes.ts";

export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

export interface RouteDescription {
  /** As it is registered: `GET /v1/topics/:topic`. */
  readonly route: `${Method} /${string}`;
  /** For the names of functions in what is generated from the document; never changes. */
  readonly id: string;
  /** One line, a sentence without its full stop. */
  readonly summary: string;
  /** What the summary does not say, in Markdown. */
  readonly details?: string;
  /** The scope that allows it, for people. */
  readonly scope: string;
  /** How who asks is known. Absent: a bearer credential. */
  readonly access?: "open" | "signed" | "live";
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly headers?: Readonly<Record<string, Parameter>>;
  /** By media type. */
  readonly body?: Readonly<Record<string, Shape>>;
  /** Whether the request may come without a body. */
  readonly isBodyOptional?: true;
  /** Whether it takes an Idempotency-Key. */
  readonly isRepeatable?: true;
  readonly answers: readonly AnswerDescription[];
  /** Refusals of its own, beside those that every route of its kind has. */
  readonly problems: readonly ErrorCode[];
}

export interface Parameter {
  readonly says: string;
  readonly shape: Shape;
  readonly isRequired?: true;
}

export interface AnswerDescription {
  readonly status: number;
  readonly says: string;
  /** By media type; absent: no body. */
  readonly content?: Readonly<Record<string, Shape>>;
}

/** Routes of one subject, in the order in which a reader should meet them. */
export interface RouteGroup {
  readonly name: string;
  readonly says: string;
  readonly routes: readonly RouteDescription[];
}
