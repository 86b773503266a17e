import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { ChannelHub } from "../../src/durable-objects/channel-hub/channel-hub.ts";
import type { AttachRequest, LogPush, PushAnswer, TopicLife } from "../../src/durable-objects/rpc.ts";
import { topicLog } from "../../src/stubs.ts";
import { appendedOf, eventsOf, makeAppend, makeDraft, makeDrafts, makeLife, valueOf } from "../builders/log.ts";
import { env } from "../builders/objects.ts";

type Accept = (push: LogPush) => PushAnswer | Promise<PushAnswer>;

const acceptAll: Accept = ({ through }) => ({ kind: "accepted", through });

let opened = 0;
let accept: Accept;
let pushes: LogPush[];
let farewells: TopicLife[];
let refuseFarewell: boolean;

// The listener is a hub whose two doors are replaced: a listener that fails or is slow is the fault injected here.
beforeEach(() => {
  [accept, pushes, farewells, refuseFarewell] = [acceptAll, [], [], false];
  vi.spyOn(ChannelHub.prototype, "accept").mockImplementation(async (push) => {
    if (push.topic !== `heard-${opened}`) return acceptAll(push); // What a test before this one left under way.
    pushes.push(push);
    return accept(push);
  });
  vi.spyOn(ChannelHub.prototype, "forget").mockImplementation(async (life) => {
    if (refuseFarewell) throw new Error("not now");
    farewells.push(life);
  });
});

afterEach(() => vi.restoreAllMocks());

function openLog() {
  opened += 1;
  const log = topicLog(env, `app_${opened}`, `heard-${opened}`, 0);
  const listener = { kind: "hub", name: objectName("hub", `app_${opened}`, "native", "any", 0) } as const;
  return {
    log,
    append: async (count: number) => appendedOf(await log.append(makeAppend(makeDrafts(count)))),
    attach: async (more: Partial<AttachRequest> = {}) =>
      valueOf(
        await log.attach({
          life: makeLife(),
          listener,
          start: { kind: "latest" },
          types: null,
          keys: null,
          ...more,
        }),
      ),
    told: (through: number) => vi.waitFor(() => expect(pushes.at(-1)?.through).toBe(through)),
    listeners: () =>
      runInDurableObject(log, (_log, state) =>
        state.storage.sql.exec<{ epoch: number; told: number }>("SELECT epoch, told FROM listeners").toArray(),
      ),
  };
}

const rangesOf = (told: readonly LogPush[]): [number, number][] => told.map(({ after, through }) => [after, through]);

describe("listeners", () => {
  it("[LOG-24] are told of everything after their place, each push where the last one ended", async () => {
    const { append, attach, told } = openLog();
    await append(3);
    expect(await attach()).toEqual({ after: 3, head: 3 });
    await append(2);
    await told(5);
    await append(1);
    await told(6);
    expect(rangesOf(pushes)).toEqual([
      [3, 5],
      [5, 6],
    ]);
    expect(pushes.flatMap(eventsOf).map(({ offset }) => offset)).toEqual([4, 5, 6]);
    expect(pushes[0]).toMatchObject({ partition: 0, epoch: 1_000, head: 5 });
  });

  it("[LOG-24] attach once: a second attach changes nothing of where they are", async () => {
    const { append, attach, told, listeners } = openLog();
    await append(3);
    await attach({ start: { kind: "earliest" } });
    await append(1);
    await told(4);
    expect(await attach({ start: { kind: "earliest" } })).toEqual({ after: 4, head: 4 });
    expect(await listeners()).toHaveLength(1);
    await append(1);
    await told(5);
    expect(rangesOf(pushes)).toEqual([
      [0, 4],
      [4, 5],
    ]);
  });

  it("[LOG-24] that ask for the latest again have forgotten where they were, and begin there", async () => {
    const { append, attach, told } = openLog();
    await attach();
    accept = () => {
      throw new Error("the listener fell over");
    };
    await append(2);
    await told(2);
    accept = acceptAll;
    expect(await attach()).toEqual({ after: 2, head: 2 });
    await append(1);
    await told(3);
    expect(rangesOf(pushes)).toEqual([
      [0, 2],
      [2, 3],
    ]);
  });

  it("[LOG-24] hear only of the types and keys they asked for, and how far the log was looked through", async () => {
    const { log, attach, told } = openLog();
    await attach({ types: ["wanted"], keys: ["k"] });
    await log.append(
      makeAppend([makeDraft({ type: "wanted" }), makeDraft({ type: "wanted", key: "k" }), makeDraft({ key: "k" })]),
    );
    await told(3);
    expect(pushes).toMatchObject([{ after: 0, through: 3, offsets: [2] }]);
  });

  it("[LOG-25] have one push under way; the next carries all that has come since", async () => {
    const { append, attach, told } = openLog();
    await attach();
    const first = Promise.withResolvers<PushAnswer>();
    accept = () => first.promise;
    await append(1);
    await told(1);
    for (let round = 0; round < 5; round += 1) await append(2);
    expect(pushes).toHaveLength(1);
    accept = acceptAll;
    first.resolve({ kind: "accepted", through: 1 });
    await told(11);
    expect(rangesOf(pushes)).toEqual([
      [0, 1],
      [1, 11],
    ]);
  });

  it("[LOG-25] never delay an answer: an append returns although its listener hangs", async () => {
    const { append, attach } = openLog();
    await attach();
    const never = Promise.withResolvers<PushAnswer>();
    accept = () => never.promise;
    await append(1);
    expect(await append(1)).toMatchObject({ events: [{ offset: 2 }] });
    never.resolve({ kind: "accepted", through: 1 });
  });

  it("[LOG-25] hear again by the alarm what a failed push did not bring", async () => {
    const { log, append, attach, told, listeners } = openLog();
    await attach();
    accept = () => {
      throw new Error("the listener fell over");
    };
    await append(2);
    await told(2);
    accept = acceptAll;
    expect(await runDurableObjectAlarm(log)).toBe(true);
    expect(rangesOf(pushes)).toEqual([
      [0, 2],
      [0, 2],
    ]);
    expect(await listeners()).toEqual([{ epoch: 1_000, told: 2 }]);
  });

  it("[LOG-25] hear the rest by and by when they accept a part", async () => {
    const { append, attach, told } = openLog();
    await attach();
    accept = ({ after }) => ({ kind: "accepted", through: after + 2 });
    await append(6);
    await told(6);
    await vi.waitFor(() =>
      expect(rangesOf(pushes)).toEqual([
        [0, 6],
        [2, 6],
        [4, 6],
      ]),
    );
  });

  it("[LOG-25] hear again after an eviction what nobody had written down, and no less", async () => {
    const { log, append, attach, told, listeners } = openLog();
    await attach();
    await append(2);
    await told(2);
    expect(await listeners()).toEqual([{ epoch: 1_000, told: 0 }]);
    await evictDurableObject(log);
    await append(1);
    await told(3);
    expect(rangesOf(pushes)).toEqual([
      [0, 2],
      [0, 3],
    ]);
    expect(eventsOf(pushes[1]!).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  it("[LOG-25] that say they are gone are forgotten, and nothing is left to wake for them", async () => {
    const { log, append, attach, told, listeners } = openLog();
    await attach();
    accept = () => ({ kind: "gone" });
    await append(1);
    await told(1);
    await vi.waitFor(async () => expect(await listeners()).toEqual([]));
    await append(1);
    expect(pushes).toHaveLength(1);
    await log.detach({ kind: "hub", name: "never there" });
  });

  it("[LOG-25] that attach while they say they are gone stay, and hear it again at once", async () => {
    const { append, attach, told, listeners } = openLog();
    await attach({ start: { kind: "earliest" } });
    const gone = Promise.withResolvers<PushAnswer>();
    accept = () => gone.promise;
    await append(1);
    await told(1);
    await attach({ start: { kind: "earliest" } });
    accept = acceptAll;
    gone.resolve({ kind: "gone" });
    await vi.waitFor(() =>
      expect(rangesOf(pushes)).toEqual([
        [0, 1],
        [0, 1],
      ]),
    );
    expect(await listeners()).toHaveLength(1);
  });

  it("[LOG-26] are never led past what retention took: the push begins where the log does", async () => {
    const { log, attach, told } = openLog();
    await attach();
    accept = () => {
      throw new Error("the listener is away");
    };
    const large = Array.from({ length: 12 }, () => makeDraft({ data: `,"data":"${"x".repeat(200_000)}"` }));
    await log.append(makeAppend(large));
    await vi.waitFor(() => expect(pushes).toHaveLength(1));
    valueOf(await log.status(makeLife({ revision: 2, retention: { maxEvents: 4 } })));
    accept = acceptAll;
    await runDurableObjectAlarm(log);
    await told(12);
    expect(rangesOf(pushes).at(-1)).toEqual([8, 12]);
    expect(pushes.at(-1)!.offsets).toEqual([9, 10, 11, 12]);
  });

  it("[LOG-27] are told when the topic's life ends, again and again until they have heard it", async () => {
    const { log, append, attach, listeners } = openLog();
    await attach();
    await append(1);
    refuseFarewell = true;
    await log.retire(1_001);
    expect(await listeners()).toMatchObject([{ epoch: 1_000 }]);
    await evictDurableObject(log);
    refuseFarewell = false;
    expect(await runDurableObjectAlarm(log)).toBe(true);
    expect(farewells).toMatchObject([{ partition: 0, epoch: 1_000 }]);
    expect(await listeners()).toEqual([]);
  });

  it("[LOG-27] of an ended life hear nothing of the next one, and attach to it anew", async () => {
    const { log, append, attach, told } = openLog();
    await attach();
    await append(2);
    await told(2);
    const life = makeLife({ epoch: 2_000 });
    valueOf(await log.append(makeAppend(makeDrafts(1), { life })));
    await vi.waitFor(() => expect(farewells).toHaveLength(1));
    expect(pushes).toHaveLength(1);
    expect(await attach({ life, start: { kind: "earliest" } })).toEqual({ after: 0, head: 1 });
    await log.append(makeAppend(makeDrafts(1), { life }));
    await vi.waitFor(() => expect(pushes.at(-1)).toMatchObject({ epoch: 2_000, after: 0, through: 2 }));
  });

  it("wakes for nothing once everyone has heard everything", async () => {
    const { log, append, attach, told } = openLog();
    await attach();
    await append(1);
    await told(1);
    await runDurableObjectAlarm(log);
    expect(await runDurableObjectAlarm(log)).toBe(false);
  });
});
