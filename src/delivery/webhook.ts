/** One attempt at a webhook: an HTTP POST of the event as a CloudEvent, signed as Standard Webhooks says. */
import { readConfig } from "../config.ts";
import { unreachable } from "../core/assert.ts";
import type { AttemptOutcome, UnreachableReason } from "../core/delivery-decision.ts";
import { parseRetryAfterMs } from "../core/retry-after.ts";
import type { SubscriptionDefinition, WebhookTarget } from "../core/subscription.ts";
import { traceOfLine, type TraceContext } from "../core/trace-context.ts";
import type { ClaimedDelivery } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { formatBinary } from "../wire/cloudevents/format-binary.ts";
import { formatEnvelope } from "../wire/native/envelope.ts";
import { judgeTarget } from "./judge-target.ts";
import { openTarget } from "./open-target.ts";
import { readExcerpt, readStart } from "./response-body.ts";
import { signWebhook } from "./sign.ts";

export const USER_AGENT = "Tidings/0.1.0";

/** The attempts at one webhook, with what they share made ready once: a dispatch has up to a hundred. */
export class WebhookCaller {
  readonly #env: Env;
  readonly #definition: SubscriptionDefinition;
  readonly #target: WebhookTarget;
  #opened: Promise<ReadyTarget | null> | null = null;

  constructor(env: Env, definition: SubscriptionDefinition, target: WebhookTarget) {
    this.#env = env;
    this.#definition = definition;
    this.#target = target;
  }

  attempt({ id, redrive }: Pick<ClaimedDelivery, "id" | "redrive">, line: string): Promise<AttemptOutcome> {
    const { headers, body } = contentOf(this.#target, line);
    return this.post({ id, headers, body, trace: traceOfLine(line), redrive }, readOutcome);
  }

  /** What `read` makes of the answer, or why there is none. */
  async post<Outcome>(
    { id, headers, body, trace, redrive }: WebhookMessage,
    read: (response: Response) => Promise<Outcome>,
  ): Promise<Outcome | AttemptOutcome> {
    const ready = await (this.#opened ??= this.#open());
    if (ready === null) return failed("secret_unreadable", "No key of SECRETS_KEY opens the target's secret.");
    const timestampSeconds = Math.floor(Date.now() / 1_000);
    const signed = await signWebhook(ready.secrets, id, timestampSeconds, body);
    const all: Record<string, string> = {
      ...ready.headers,
      ...headers,
      "webhook-id": id,
      "webhook-timestamp": String(timestampSeconds),
      "webhook-signature": signed.signature,
    };
    if (trace !== null) all["traceparent"] = trace.traceparent;
    if (trace !== null && trace.tracestate !== null) all["tracestate"] = trace.tracestate;
    if (redrive) all[REDRIVE] = "true";
    return postTo(this.#env, this.#target.url, this.#definition.timeoutMs, all, signed.body, read);
  }

  async #open(): Promise<ReadyTarget | null> {
    const { consentedTo } = this.#target;
    const opened = await openTarget(this.#env, this.#definition.id, this.#target, Date.now());
    if (opened === null) return null;
    // Ours win over the owner's, however those are spelled: nobody may forge a signature or an id by a custom header.
    const custom = Object.entries(opened.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    const headers = Object.fromEntries(custom.filter(([name]) => name !== REDRIVE));
    headers["user-agent"] = USER_AGENT;
    if (consentedTo !== undefined) headers["webhook-request-origin"] = consentedTo;
    return { secrets: opened.secrets, headers };
  }
}

/** What is the same in every request of the target: the owner's headers, and of the hub's those that never change. */
interface ReadyTarget {
  readonly secrets: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

const REDRIVE = "webhook-redrive";

type WebhookContent = Pick<WebhookMessage, "headers" | "body">;

/** What is signed in the binary form is the data: the attributes stand beside it, in headers. */
function contentOf({ contentMode }: WebhookTarget, line: string): WebhookContent {
  switch (contentMode) {
    case undefined:
      return { headers: STRUCTURED, body: line };
    case "envelope":
      return { headers: ENVELOPE, body: formatEnvelope(line) };
    case "binary": {
      const { headers, body } = formatBinary(line);
      return { headers, body: body ?? "" };
    }
    default:
      return unreachable(contentMode);
  }
}

const ENVELOPE = { "content-type": "application/json; charset=utf-8" };
const STRUCTURED = { "content-type": "application/cloudevents+json; charset=utf-8" };

/** What is signed and sent: one event, or several. */
export interface WebhookMessage {
  readonly id: string;
  /** What they say of the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly trace: TraceContext | null;
  readonly redrive: boolean;
}

/** Posts to an address of the owner's, within the time. */
export async function postTo<Outcome>(
  env: Env,
  url: string,
  timeoutMs: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  read: (response: Response) => Promise<Outcome>,
): Promise<Outcome | AttemptOutcome> {
  // Judged when it was stored, and again now: what the hub allows, or what the name stands for, may have changed since.
  const judged = await judgeTarget(url, readConfig(env), null);
  if (judged.kind === "refused") return failed("address_refused", judged.failure.detail ?? "");
  if (judged.kind === "unresolved") return failed("name_unresolved", "");
  const signal = AbortSignal.timeout(timeoutMs); // Over the headers and the body.
  try {
    return await read(await fetch(judged.url, { method: "POST", headers, body, redirect: "manual", signal }));
  } catch (error) {
    return signal.aborted ? failed("timeout", "") : failed("connection", String(error));
  }
}

export async function readOutcome(response: Response): Promise<AttemptOutcome> {
  const { status } = response;
  if (response.ok) {
    // The status says it all: a body that breaks off does not take it back.
    if (response.body !== null) await readStart(response, 0).catch(() => undefined);
    return { kind: "accepted", status };
  }
  if (status === 410) {
    await drop(response);
    return { kind: "gone" };
  }
  if (status >= 300 && status < 400) {
    await drop(response);
    return failed("redirect", `${status} to ${response.headers.get("location") ?? "nowhere"}`);
  }
  const asksToWait = status === 429 || status === 503;
  const retryAfterMs = asksToWait ? parseRetryAfterMs(response.headers.get("retry-after"), Date.now()) : null;
  return { kind: "refused", status, retryAfterMs, excerpt: await readExcerpt(response).catch(() => "") };
}

async function drop(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

const EXCERPT_CHARS = 1_000;

export const failed = (reason: UnreachableReason, excerpt: string): AttemptOutcome => ({
  kind: "unreachable",
  reason,
  excerpt: excerpt.slice(0, EXCERPT_CHARS),
});
