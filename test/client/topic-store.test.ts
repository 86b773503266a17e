import { afterEach, expect, it } from "vitest";
import { TopicStore } from "../../src/client/topic-store.ts";
import { createTestHub, type TestHub } from "../../src/testing/test-hub.ts";

let test: TestHub;
afterEach(() => test.close());

const dataIn = (store: TopicStore<never>): unknown[] => store.read().events.map(({ data }: { data: unknown }) => data);

it("[CLI-13] misses nothing while its component is away, though nothing had come before", async () => {
  test = createTestHub();
  const [ada, eve] = [test.connect({ id: "ada" }), test.connect({ id: "eve" })];
  const store = new TopicStore<never>(ada, "news", {});
  const stop = store.subscribe(() => undefined);
  await expect.poll(() => store.read().state).toBe("live");
  stop();
  await eve.publish("news", { type: "t", data: "meanwhile" });
  const stopAgain = store.subscribe(() => undefined);
  await eve.publish("news", { type: "t", data: "after" });
  await expect.poll(() => dataIn(store)).toEqual(["meanwhile", "after"]);
  stopAgain();
});

it("[CLI-13] forgets what ended it when its component comes back", async () => {
  let isAllowed = false;
  test = createTestHub({ allows: () => isAllowed });
  const ada = test.connect({ id: "ada" });
  const store = new TopicStore<never>(ada, "news", {});
  const stop = store.subscribe(() => undefined);
  await expect.poll(() => store.read().error?.code).toBe("scope_missing");
  stop();
  isAllowed = true;
  const stopAgain = store.subscribe(() => undefined);
  await expect.poll(() => [store.read().error, store.read().state]).toEqual([null, "live"]);
  stopAgain();
});
