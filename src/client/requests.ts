/** Requests of the hub over HTTP: what it refuses is thrown as TidingsError, and an ended token is renewed once. */
import type { Problem } from "../wire/native/problem.ts";
import { refusalOf, TidingsError } from "./client-error.ts";
import type { Credentials } from "./credentials.ts";
import type { Fetch } from "./platform.ts";

const ANSWER_WITHIN_MS = 30_000;

/** Throws `topic_name_invalid` for what cannot stand in an address: half a pair of surrogates. */
export function eventsPath(topic: string): string {
  try {
    return `/v1/topics/${encodeURIComponent(topic)}/events`;
  } catch (cause) {
    throw new TidingsError("topic_name_invalid", { cause });
  }
}

export class Requests {
  /** Without a slash at its end. */
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #credentials: Credentials;

  constructor(url: string, fetch: Fetch, credentials: Credentials) {
    this.#url = url;
    this.#fetch = fetch;
    this.#credentials = credentials;
  }

  /** `body` is JSON text; `more`: headers. */
  async ask<Answer>(method: string, path: string, body?: string, more?: Record<string, string>): Promise<Answer> {
    try {
      return await this.#askOnce(method, path, body, more);
    } catch (error) {
      if ((error as TidingsError).code !== "credential_expired" || !this.#credentials.canRenew) throw error;
      this.#credentials.renew();
      return this.#askOnce(method, path, body, more);
    }
  }

  async #askOnce<Answer>(method: string, path: string, body?: string, more = {}): Promise<Answer> {
    const headers: Record<string, string> = { authorization: `Bearer ${await this.#credentials.current()}`, ...more };
    if (body !== undefined) headers["content-type"] = "application/json";
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    let answer: Awaited<ReturnType<Fetch>>;
    let text: string;
    try {
      answer = await this.#fetch(this.#url + path, { method, headers, ...(body !== undefined && { body }), signal });
      text = await answer.text();
    } catch (cause) {
      throw new TidingsError("network_failed", { cause });
    }
    const read = readJson(text) as (Answer & Partial<Problem>) | null;
    if (answer.ok && read !== null) return read;
    if (read?.code === undefined) throw new TidingsError("answer_invalid", { detail: `HTTP ${answer.status}` });
    throw refusalOf(read as Problem, Number(answer.headers.get("retry-after") ?? 0));
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
