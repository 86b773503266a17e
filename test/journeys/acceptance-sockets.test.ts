import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { TestSocket } from "../harness/socket.ts";
import { eventually, pause } from "../harness/wait.ts";

const READERS = 100;
const EVENTS = 5_000;
const SEED = 20_261_121;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);

/** A reader that is dropped so many times at random, and comes back each time with the cursor it had. */
class DroppedReader {
  readonly offsets: number[] = [];
  readonly sessions: { readonly ops: readonly string[]; readonly drops: boolean }[] = [];
  cursor: string | null = null;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  async follow(topic: string, drops: number): Promise<void> {
    for (let drop = 0; drop < drops; drop += 1) {
      const until = Math.min(EVENTS, (this.offsets.at(-1) ?? 0) + Math.floor(this.#random() * (EVENTS / drops)));
      await this.#session(topic, until, true);
    }
    await this.#session(topic, EVENTS, false);
  }

  async #session(topic: string, until: number, drops: boolean): Promise<void> {
    const socket = await hub.connect({ ackEvery: 50, timeoutMs: 170_000 });
    socket.send({ op: "subscribe", topic, from: this.cursor === null ? "earliest" : `cursor:${this.cursor}` });
    const hasReached = (): boolean =>
      (socket.messages.findLast(({ op }) => op === "event")?.event?.offset ?? 0) >= until;
    const isLevel = (): boolean => drops || socket.messages.some(({ op }) => op === "caught_up");
    await socket.until(() => (hasReached() || this.#isBehind(until)) && isLevel(), `event ${until}`);
    await socket.close();
    this.offsets.push(...socket.events().map(({ offset }) => offset));
    this.cursor = socket.cursor(topic) ?? this.cursor;
    this.sessions.push({ ops: socket.messages.slice(0, 2).map(({ op }) => op), drops });
  }

  #isBehind(until: number): boolean {
    return (this.offsets.at(-1) ?? 0) >= until;
  }
}

async function publishAll(topic: string): Promise<void> {
  let next = 1;
  const lane = async (): Promise<void> => {
    while (next <= EVENTS) {
      const data = next;
      next += 1;
      expect((await hub.publish(topic, { type: "t", data })).status).toBe(201);
    }
  };
  await Promise.all(upTo(16).map(lane));
}

it(`[WS-14] 100 sockets, dropped at random in 5,000 publishes, see every event once, in order (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  await hub.json("PUT", "/v1/topics/storm", {});
  const readers = upTo(READERS).map(() => new DroppedReader(random));
  const following = readers.map((reader, index) =>
    pause(random() * 2_000).then(() => reader.follow("storm", 2 + (index % 4))),
  );
  await Promise.all([publishAll("storm"), ...following]);
  for (const { offsets, sessions } of readers) {
    expect(offsets).toEqual(upTo(EVENTS));
    expect(sessions.length).toBeGreaterThanOrEqual(3);
    expect(sessions.at(-1)).toEqual({ ops: ["welcome", "subscribed"], drops: false });
  }

  // Retention takes what one of them had not seen yet: it is told so, and goes on from what is left.
  const old = (await hub.read("storm", { limit: 100 })).cursor;
  await hub.json("PUT", "/v1/topics/storm", { retention: { maxEvents: 50 } });
  await hub.publish("storm", { type: "t", data: EVENTS + 1 });
  interface View {
    readonly partitionStatus: readonly { readonly firstOffset: number }[];
  }
  const firstHeld = async () => (await hub.json<View>("GET", "/v1/topics/storm")).body.partitionStatus[0]!.firstOffset;
  await eventually(firstHeld, (first) => first === EVENTS - 48, "retention has taken the rest");
  const socket: TestSocket = await hub.connect();
  await socket.subscribe("storm", { from: `cursor:${old}` });
  await socket.message(({ op }) => op === "caught_up");
  expect(socket.messages.find(({ op }) => op === "gap")).toMatchObject({
    partition: 0,
    requested: 101,
    firstHeld: EVENTS - 48,
    reason: "trimmed",
  });
  expect(socket.events().map(({ offset }) => offset)).toEqual(upTo(50, EVENTS - 48));
  await socket.close();
}, 180_000);
