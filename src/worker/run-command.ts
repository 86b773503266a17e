/**
 * A command to its end: decided on the key's state, its events appended where the key is still of the version that was
 * seen, and decided again on fresh state where it is not. So of all that race each one has seen what it was based on.
 */
import { createHash } from "node:crypto";
import { backoffMs, commandSource, type SentCommand } from "../core/command.ts";
import type { DraftDefaults } from "../core/draft-builder.ts";
import type { EventDraft } from "../core/event.ts";
import type { Failure } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { choosePartition } from "../core/routing.ts";
import { TOO_LATE } from "../delivery/command-target.ts";
import type { Env } from "../env.ts";
import type { TopicRecord } from "../store/topics-store.ts";
import { parseDrafts } from "../wire/native/draft.ts";
import type { Caller } from "./caller.ts";
import type { KnownCommand } from "./command-directory.ts";
import { decideCommand, type CommandTry, type Decided } from "./decide-command.ts";
import { publish, type Published, type Receipt } from "./publish.ts";
import { ensureTopic, withTopic, type FirstUse } from "./topic-directory.ts";
import { Turns } from "./turns.ts";

export interface CommandOrder {
  readonly env: Env;
  readonly caller: Caller;
  readonly command: KnownCommand;
  readonly sent: SentCommand;
  /** As the log is to know it: under a client's Idempotency-Key always the same. */
  readonly request: { readonly key: string; readonly fingerprint: string };
  /** What its events get that the handler does not say. */
  readonly defaults: DraftDefaults;
  readonly later: (work: Promise<unknown>) => void;
}

export type CommandOutcome =
  | {
      readonly status: "accepted";
      readonly published: Published;
      /** How often it was decided; 0: it had been before. */
      readonly attempts: number;
    }
  | { readonly status: "rejected"; readonly reason: string; readonly attempts: number };

/** What a topic that a command makes is like: a key's state is made of all its events, so none of them goes. */
export const COMMAND_TOPIC: FirstUse = { index: "key", retention: {}, check: ok };

/** Failures: as `decideCommand` and `publish` have them, and `command_contended`. */
export async function runCommand(order: CommandOrder): Promise<Result<CommandOutcome>> {
  const { env, caller, command } = order;
  const { topic: name, maxAttempts, timeoutMs } = command.definition;
  const deadline = Date.now() + timeoutMs;
  const { key } = order.sent;
  // Commands of no key defeat nobody: each has a turn of its own.
  const turn = JSON.stringify([caller.principal.app, name, key ?? order.request.key]);
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const isInTurn = attempt > 1 || !turns.tryRace(turn, deadline);
    if (isInTurn && !(await takeTurn(turn, attempt, deadline))) break;
    const outcome = await withTopic(
      caller.principal.app,
      name,
      () => ensureTopic(env, caller, name, COMMAND_TOPIC),
      (topic) => tryOnce(order, topic, deadline, attempt),
    ).finally(() => (isInTurn ? turns.release(turn, deadline) : turns.endRace(turn, deadline)));
    const isTooLate = !outcome.ok && outcome.failure.code === "command_failed" && Date.now() >= deadline;
    if (isTooLate && isInTurn) break; // Others have taken the time that it had.
    if (!outcome.ok) return outcome;
    if (outcome.value !== null) return ok(outcome.value);
  }
  return fail("command_contended", undefined, { limit: maxAttempts, retryAfterSeconds: 1 });
}

const turns = new Turns();

/** Waiting counts as deciding: it ends with the time that the command has. */
async function takeTurn(turn: string, attempt: number, deadline: number): Promise<boolean> {
  if (attempt > 1) await scheduler.wait(backoffMs(attempt, Math.random()));
  return turns.take(turn, deadline);
}

/** Null: another event of the key came first. */
async function tryOnce(
  order: CommandOrder,
  topic: TopicRecord,
  deadline: number,
  attempt: number,
): Promise<Result<CommandOutcome | null>> {
  const { env, sent, request, later } = order;
  const { definition } = order.command;
  const id = `cmd_${createHash("sha256").update(request.key).digest("base64url").slice(0, 22)}`;
  const partition = choosePartition({ id, key: sent.key }, 0, null, 0, topic.partitions);
  const run: CommandTry = { env, definition, sent, id, request, partition, deadline, later };
  const decided = await decideCommand(run, topic);
  if (!decided.ok) return decided;
  switch (decided.value.kind) {
    case "rejected":
      return ok({ status: "rejected", reason: decided.value.reason, attempts: attempt });
    case "appended":
      return ok({ status: "accepted", published: publishedBefore(topic, partition, decided.value), attempts: 0 });
    case "decided":
      if (Date.now() >= deadline) return fail("command_failed", TOO_LATE);
      return append(order, decided.value, partition, attempt);
  }
}

function publishedBefore(
  { name: topic, epoch }: TopicRecord,
  partition: number,
  { events }: Extract<Decided, { kind: "appended" }>,
): Published {
  const receipts = events.map((event): Receipt => ({ topic, epoch, partition, outcome: ok(event) }));
  return { receipts, replayed: true };
}

/** One request to one partition: all of its events or none. Each attempt spends of the quotas, also one that lost. */
async function append(
  { env, caller, command, sent, request, defaults }: CommandOrder,
  { events, version }: Extract<Decided, { kind: "decided" }>,
  partition: number,
  attempt: number,
): Promise<Result<CommandOutcome | null>> {
  const { name, topic } = command.definition;
  const source = commandSource(caller.principal.appName, name);
  if (events.length === 0) return ok({ status: "accepted", published: NOTHING, attempts: attempt });
  const drafts = readEvents(events, sent.key, version, { ...defaults, source });
  if (!drafts.ok) return refuseEvents(drafts.failure);
  const published = await publish(env, caller, topic, drafts.value, { ifMatch: null, partition, request }, "key");
  if (published.ok) return ok({ status: "accepted", published: published.value, attempts: attempt });
  if (published.failure.code === "version_conflict") return ok(null);
  return HANDLERS_FAULTS.has(published.failure.code) ? refuseEvents(published.failure) : published;
}

const NOTHING: Published = { receipts: [], replayed: false };

/** What a handler may say of an event; its key, id and place are not its to say. */
const EVENT_MEMBERS: ReadonlySet<string> = new Set([
  "type",
  "data",
  "data_base64",
  "source",
  "subject",
  "time",
  "dataschema",
  "datacontenttype",
]);

function readEvents(
  events: readonly unknown[],
  key: string | null,
  version: number,
  defaults: DraftDefaults,
): Result<EventDraft[]> {
  if (events.length > LIMITS.COMMAND_EVENTS_MAX)
    return fail("event_invalid", "There are more events than a command may have.", {
      limit: LIMITS.COMMAND_EVENTS_MAX,
      actual: events.length,
    });
  const drafts: unknown[] = [];
  for (const [index, event] of events.entries()) {
    const wrong = Object.keys(event ?? {}).find((name) => !EVENT_MEMBERS.has(name));
    if (wrong !== undefined) return fail("event_invalid", `A command's event ${index} cannot say its ${wrong}.`);
    const expected = key === null ? {} : { key, expectedKeyVersion: version + index };
    drafts.push({ ...(event as object), ...expected });
  }
  const text = jsonOf({ events: drafts });
  if (text === null) return fail("event_invalid", "They hold what JSON cannot say.");
  if (text.length > LIMITS.REQUEST_BYTES_MAX)
    return fail("event_invalid", "The events are too large together.", { limit: LIMITS.REQUEST_BYTES_MAX });
  return parseDrafts(text, defaults);
}

/** Null for a bigint or a circle, which a Worker's answer may bring. */
function jsonOf(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}

/** Who sent the command is told that it is the handler's fault, and what is wrong with its events. */
const HANDLERS_FAULTS: ReadonlySet<Failure["code"]> = new Set(["event_too_large", "schema_violation"]);

const refuseEvents = ({ detail, code: _code, ...more }: Failure): Result<never> =>
  fail("command_failed", `The handler's events cannot be appended.${detail === undefined ? "" : ` ${detail}`}`, more);
