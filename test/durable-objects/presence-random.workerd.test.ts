import { afterEach, beforeAll, expect, it } from "vitest";
import { migrateDatabase } from "../builders/objects.ts";
import type { HubClient } from "../builders/hub-client.ts";
import { CHANNEL, PresenceWorld, seenBy } from "../builders/presence-world.ts";
import { seededRandom } from "../harness/random.ts";
import { pick, SEED } from "../wire/random-json.ts";

const STEPS = 150;
const SHARDS = [0, 1, 2] as const;

let world: PresenceWorld;

beforeAll(migrateDatabase);
afterEach(() => world.close());

interface Seat {
  readonly id: string;
  readonly shard: number;
  readonly client: HubClient;
}

/** What happens to users, to hubs and to what hubs are told, by chance; the seats that are left are the truth. */
class Chaos {
  readonly seats: Seat[] = [];
  readonly #epoch: number;
  readonly #random: () => number;

  constructor(epoch: number, random: () => number) {
    this.#epoch = epoch;
    this.#random = random;
  }

  async step(): Promise<unknown> {
    const dice = this.#random();
    const shard = pick(this.#random, SHARDS);
    if (dice < 0.4 || this.seats.length === 0) return this.#enter(shard);
    if (dice < 0.75) return this.#leave();
    if (dice < 0.82) return world.evictHub(shard);
    if (dice < 0.88) return world.evictRoom();
    if (dice < 0.92) return world.runRoomAlarm();
    return this.#pushNonsense(shard);
  }

  async #enter(shard: number): Promise<void> {
    const id = `u${Math.floor(this.#random() * 5)}`;
    this.seats.push({ id, shard, client: await world.enter(id, shard) });
  }

  async #leave(): Promise<void> {
    const [{ client }] = this.seats.splice(Math.floor(this.#random() * this.seats.length), 1) as [Seat];
    const dice = this.#random();
    if (dice < 0.4) await client.ask({ op: "unsubscribe", topic: CHANNEL });
    else client.close(dice < 0.7 ? 1_000 : 4_000);
  }

  /** What was pushed long ago, or will be: a hub hears it at the wrong time. */
  async #pushNonsense(shard: number): Promise<void> {
    const after = Math.floor(this.#random() * 60);
    const isAhead = this.#random() < 0.5;
    const member = { id: "nobody", data: null };
    const changes = [{ kind: "added" as const, member, version: after + 1_001 }];
    const news = isAhead
      ? ({ kind: "changes", after: after + 1_000, version: after + 1_001, changes } as const)
      : ({ kind: "snapshot", version: 0, members: [member] } as const);
    await world.hub(shard).acceptMembers({ topic: CHANNEL, epoch: this.#epoch, news });
  }
}

const countsOf = (seats: readonly Seat[]): string[] =>
  [...Map.groupBy(seats, ({ id }) => id)].map(([id, { length }]) => `${id} ${length}`).toSorted();

it(`[PRE-6, PRE-5] whoever looks sees the truth after ${STEPS} steps by chance (seed ${SEED})`, async () => {
  world = new PresenceWorld();
  const epoch = await world.makeChannel();
  const observers = await Promise.all(SHARDS.map((shard) => world.watch(shard)));
  const chaos = new Chaos(epoch, seededRandom(SEED));
  for (let step = 0; step < STEPS; step += 1) await chaos.step();
  const truth = countsOf(chaos.seats);
  await expect.poll(() => world.members(epoch), { timeout: 15_000 }).toEqual(truth);
  const ids = truth.map((count) => count.split(" ")[0]).join();
  // Each that is still there looks on as well; what came out of turn would have thrown.
  for (const client of [...observers, ...chaos.seats.map((seat) => seat.client)])
    await client.until(() => seenBy(client).join() === ids, ids, 15_000);
}, 60_000);
