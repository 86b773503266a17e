import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);

it("[PUB-14] 50 publishers of 400 events each make the offsets 1 to 20,000, each publisher's order kept", async () => {
  const [publishers, each, seed] = [50, 400, 4_711];
  const random = seededRandom(seed);
  const offsetsByPublisher = await Promise.all(
    upTo(publishers).map(async (publisher) => {
      const offsets: number[] = [];
      while (offsets.length < each) {
        const count = Math.min(each - offsets.length, 1 + Math.floor(random() * 20));
        const drafts = upTo(count, offsets.length + 1).map((number) => ({ type: "t", data: { publisher, number } }));
        const { status, body } = await hub.publish("crowd", drafts);
        expect(status).toBe(201);
        offsets.push(...body.events.map(({ offset }) => offset));
      }
      return offsets;
    }),
  );
  for (const offsets of offsetsByPublisher) expect(offsets).toEqual(offsets.toSorted((left, right) => left - right));
  expect(offsetsByPublisher.flat().toSorted((left, right) => left - right)).toEqual(upTo(publishers * each));

  const events = await hub.readAll("crowd");
  expect(events.map(({ offset }) => offset)).toEqual(upTo(publishers * each));
  const numbered = events.map(({ data }) => data as { publisher: number; number: number });
  const numbersByPublisher = Map.groupBy(numbered, ({ publisher }) => publisher);
  expect(numbersByPublisher.size).toBe(publishers);
  for (const numbers of numbersByPublisher.values()) expect(numbers.map(({ number }) => number)).toEqual(upTo(each));
}, 120_000);

it("[TOP-9] a subscription made in the instant of the first publish to fifty topics gets every event", async () => {
  for (const round of ["first", "second", "third"]) {
    const sink = await Sink.open();
    const topics = upTo(50).map((index) => `order-${round}.new-${index}`);
    const put = hub.json("PUT", `/v1/subscriptions/${round}`, {
      topics: [`order-${round}.*`],
      target: { kind: "webhook", url: sink.url },
    });
    const first = topics.map((topic) => hub.publish(topic, { type: "first" }));
    expect((await put).status).toBe(201);
    await Promise.all(first);
    await Promise.all(topics.map((topic) => hub.publish(topic, [{ type: "second" }, { type: "third" }])));
    await sink.until(({ accepted }) => accepted.length >= 150, "150 deliveries", 60_000);
    const seen = sink.accepted.map(({ event }) => `${event.topic} ${event.type}`).toSorted();
    expect(seen).toEqual(topics.flatMap((topic) => [`${topic} first`, `${topic} second`, `${topic} third`]).toSorted());
    interface View {
      readonly stats: { readonly owed: number; readonly lag: number; readonly delivered: number };
    }
    const stats = async () => (await hub.json<View>("GET", `/v1/subscriptions/${round}`)).body.stats;
    const isSettled = ({ owed, lag, delivered }: View["stats"]) => owed === 0 && lag === 0 && delivered === 150;
    await eventually(stats, isSettled, "everything is settled");
    await hub.json("DELETE", `/v1/subscriptions/${round}`);
    await sink.close();
  }
}, 120_000);
