/** Batches as a client makes and watches them: over HTTP, with nothing but what the answers say. */
import type { EventStory } from "../../src/core/event-story.ts";
import type { Answer, Hub } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

export interface SeenBatch {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly open: number;
  readonly percent: number;
  readonly round: number;
  readonly [name: string]: unknown;
}

export interface SeenJob {
  readonly index: number;
  readonly type: string;
  readonly state: string;
  readonly run: number;
  readonly reason?: string;
}

/** Every event type that a batch can tell of itself. */
export const TELLS = { then: "all.done", catch: "one.failed", finally: "all.over", progress: "one.over" };

/** So many jobs, each with its number. */
export const jobs = (count: number, type = "work"): { type: string; payload: { n: number } }[] =>
  Array.from({ length: count }, (_, n) => ({ type, payload: { n } }));

export async function makeBatch(hub: Hub, definition: object, headers?: Record<string, string>): Promise<SeenBatch> {
  const made = await hub.json<SeenBatch>("POST", "/v1/batches", definition, headers);
  if (made.status !== 201) throw new Error(`a batch answered ${made.status}: ${JSON.stringify(made.body)}`);
  return made.body;
}

export const batchOf = async (hub: Hub, id: string): Promise<SeenBatch> =>
  (await hub.json<SeenBatch>("GET", `/v1/batches/${id}`)).body;

export const jobsOf = async (hub: Hub, id: string, query = ""): Promise<readonly SeenJob[]> =>
  (await hub.json<{ items: readonly SeenJob[] }>("GET", `/v1/batches/${id}/jobs?limit=1000${query}`)).body.items;

export const actOn = (hub: Hub, id: string, verb: string, body: object = {}): Promise<Answer<SeenBatch>> =>
  hub.json<SeenBatch>("POST", `/v1/batches/${id}/${verb}`, body);

/** Waits for its end; its counts add up at every look. */
export function overOf(hub: Hub, id: string, patienceMs?: number): Promise<SeenBatch> {
  const look = async (): Promise<SeenBatch> => {
    const seen = await batchOf(hub, id);
    const { total, completed, failed, cancelled, open } = seen;
    if (completed + failed + cancelled + open !== total) throw new Error(`it does not add up: ${JSON.stringify(seen)}`);
    return seen;
  };
  const isOver = ({ state }: SeenBatch): boolean => state !== "running" && state !== "cancelling";
  return eventually(look, isOver, "the batch is over", patienceMs);
}

/** What it told of itself, in order, once it has told its end as often as it should have. */
export async function newsOf(hub: Hub, topic: string, id: string, ends = 1): Promise<readonly WireEvent[]> {
  const read = async (): Promise<WireEvent[]> => (await hub.readAll(topic)).filter(({ subject }) => subject === id);
  const isTold = (events: readonly WireEvent[]): boolean =>
    events.filter(({ type }) => type === TELLS.finally).length >= ends;
  return eventually(read, isTold, "the end is told");
}

/** What became of all events of the topic in the subscription of its name, by their stories: how many of each. */
export async function fatesOf(hub: Hub, topic: string): Promise<Record<string, number>> {
  const stories = (await hub.readAll(topic)).map(async ({ id }) => {
    const { body } = await hub.json<EventStory>("GET", `/v1/events/${id}/trace?topic=${topic}`);
    return body.subscriptions.find(({ subscription }) => subscription === topic)!.outcome;
  });
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.all(stories)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

export const typesOf = (events: readonly WireEvent[]): readonly string[] => events.map(({ type }) => type);
