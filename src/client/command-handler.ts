/**
 * A command's handler, the same in the hub (a file in src/listeners, its default export) and in a Worker beside it
 * (`defineCommands`, consumer.ts):
 *
 *     export default defineCommand<{ amount: number }, number>({
 *       name: "withdraw",
 *       initial: 0,
 *       fold: (balance, { data }) => balance + (data as { change: number }).change,
 *       decide: ({ payload }, balance) =>
 *         payload.amount > balance
 *           ? rejected("There is not so much.")
 *           : [{ type: "money.withdrawn", data: { change: -payload.amount } }],
 *     });
 */
import type { ConsumedEvent } from "../core/event.ts";
import type { CommandAnswer, CommandCall, CommandToDecide, FoldedState } from "../wire/native/command-call.ts";
import type { StandardSchema } from "./standard-schema.ts";

export interface CommandHandler<Payload = unknown, State = unknown, Env = unknown> {
  readonly name: string;
  /** Of `initial` and `fold`, from 1: raise it when either changes, or old snapshots would be gone on from. */
  readonly version?: number;
  /** Judges the payload before `decide`: what does not fit is a rejection. */
  readonly payload?: StandardSchema<unknown, Payload>;
  /** The state of a key without events: plain JSON, as every state is. Absent: null. */
  readonly initial?: State;
  /** The state after one more event of the key. Absent: the state stays what it is. */
  fold?(state: State, event: ConsumedEvent): State;
  /**
   * What happens: events of the command's key, in order and all or none, or a rejection. It runs again, on fresh state,
   * when another event of the key came first; so what it does beside its answer it may do several times.
   */
  decide(command: Command<Payload>, state: State, version: number, context: CommandContext<Env>): MaybeLater<Decision>;
}

export interface Command<Payload = unknown> {
  /** Stable over repeats under one Idempotency-Key. */
  readonly id: string;
  readonly name: string;
  readonly key: string | null;
  readonly payload: Payload;
}

export interface CommandContext<Env = unknown> {
  /** The app's id. */
  readonly app: string;
  /** In the hub `{ db }`, its database; in another Worker that Worker's own bindings. */
  readonly env: Env;
}

export type Decision = readonly CommandEvent[] | Rejection;

/** An event as it is to be published; its key, its place and its id are the hub's to say. */
export interface CommandEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly subject?: string;
  readonly source?: string;
  readonly time?: string;
  readonly dataschema?: string;
}

export interface Rejection {
  readonly rejected: string;
}

type MaybeLater<Value> = Value | Promise<Value>;

export const defineCommand = <Payload = unknown, State = null, Env = unknown>(
  handler: CommandHandler<Payload, State, Env>,
): CommandHandler<Payload, State, Env> => handler;

/** An answer, not an error: the sender reads `reason`, and nothing is appended. */
export const rejected = (reason: string): Rejection => ({ rejected: reason });

/** One call of the hub. What the handler throws goes to the caller. */
export async function answerCommand(handler: CommandHandler, call: CommandCall, env: unknown): Promise<CommandAnswer> {
  const fold = `${handler.name}@${handler.version ?? 1}`;
  if (call.snapshot !== null && call.snapshot.fold !== fold) return { kind: "refold" };
  const state = foldEvents(handler, call);
  const folded = call.wantsState ? { fold, state: formatState(handler, state) } : null;
  if (call.decide === null) return { kind: "folded", folded: folded ?? { fold, state: formatState(handler, state) } };
  return answerOf(await decide(handler, call, call.decide, state, env), folded);
}

function foldEvents(handler: CommandHandler, { snapshot, events }: CommandCall): unknown {
  // A copy: a fold that changes what it is given must not change it for the next command.
  const start = snapshot === null ? structuredClone(handler.initial ?? null) : (JSON.parse(snapshot.state) as unknown);
  if (handler.fold === undefined || events === "") return start;
  const list = JSON.parse(`[${events}]`) as ConsumedEvent[];
  return list.reduce((state, event) => handler.fold!(state, event), start);
}

async function decide(
  handler: CommandHandler,
  { app, command: name }: CommandCall,
  { id, key, payload: text, version }: CommandToDecide,
  state: unknown,
  env: unknown,
): Promise<Decision> {
  const sent = JSON.parse(text) as unknown;
  const judged = await handler.payload?.["~standard"].validate(sent);
  if (judged?.issues !== undefined) return rejected(judged.issues.map(({ message }) => message).join(" "));
  const payload = judged === undefined ? sent : judged.value;
  return handler.decide({ id, name, key, payload }, state, version, { app, env });
}

function answerOf(decision: Decision, folded: FoldedState | null): CommandAnswer {
  if ("rejected" in decision) return { kind: "rejected", reason: decision.rejected, folded };
  return { kind: "decided", events: decision, folded };
}

/** A state that JSON would change (a Date, a Map) came back as another from a snapshot: so there is none of it. */
function formatState({ name }: CommandHandler, state: unknown): string {
  if (!isJson(state)) throw new TypeError(`the state of the command ${name} is not plain JSON`);
  return JSON.stringify(state);
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return false;
  if (Array.isArray(value)) return value.every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((each) => each === undefined || isJson(each));
}
