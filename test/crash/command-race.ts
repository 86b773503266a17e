/**
 * Commands that race on one key, each sent again under its Idempotency-Key until it is answered. It only gathers; the
 * tests judge.
 */
import type { Hub, Receipt } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";
import { pause } from "../harness/wait.ts";

export interface RacedEvent extends WireEvent {
  /** What its handler saw when it decided. */
  readonly data: {
    readonly racer: number;
    readonly saw: number;
    readonly version: number;
    readonly last: number | null;
  };
}

export interface Race {
  /** The last answer of each racer. */
  readonly receipts: ReadonlyMap<number, Receipt>;
  /** Decisions of all answers together; a racer that never lost needed one. */
  readonly attempts: number;
  /** Answers that were not the end: contended, in progress, or no answer at all. */
  readonly repeats: number;
}

const TOPIC = "raced";
const AGAIN_MS = 1_000; // As Retry-After says.

export async function defineRace(hub: Hub): Promise<void> {
  const target = { kind: "worker", binding: "CONSUMER_COMMANDS" };
  const definition = { topic: TOPIC, target, maxAttempts: 100, timeout: "8s" };
  const { status } = await hub.json("PUT", "/v1/commands/race", definition);
  if (status !== 201) throw new Error(`PUT was answered ${status}`);
}

/** `accepted` is told how many have been, after each. */
export async function runRace(hub: Hub, racers: number, accepted: (count: number) => void): Promise<Race> {
  const receipts = new Map<number, Receipt>();
  let [attempts, repeats] = [0, 0];
  const run = async (racer: number): Promise<void> => {
    for (;;) {
      const answer = await sendOnce(hub, racer).catch(() => null);
      if (answer?.status === 200) {
        const { events, attempts: tries } = answer.body;
        receipts.set(racer, events[0]!);
        attempts += tries;
        return accepted(receipts.size);
      }
      // As any client would: again, where the hub says that this helps.
      if (answer !== null && !answer.body.retryable)
        throw new Error(`racer ${racer} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      repeats += 1;
      await pause(AGAIN_MS * (0.5 + Math.random()));
    }
  };
  await Promise.all(Array.from({ length: racers }, (_, racer) => run(racer)));
  return { receipts, attempts, repeats };
}

const sendOnce = (hub: Hub, racer: number) =>
  hub.json<{ events: Receipt[]; attempts: number; retryable?: boolean }>(
    "POST",
    "/v1/commands/race",
    { payload: { racer }, key: "prize" },
    { "idempotency-key": `racer-${racer}` },
  );

export const readRace = async (hub: Hub): Promise<RacedEvent[]> => (await hub.readAll(TOPIC)) as RacedEvent[];
