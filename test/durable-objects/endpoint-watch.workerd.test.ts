/** What the ledger does while its endpoint is not well, and how often it asks the object that keeps the endpoint's health. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { SubscriptionDefinition } from "../../src/core/subscription.ts";
import { LedgerAlarm, ringUnclaimed } from "../../src/durable-objects/subscription/alarm.ts";
import { claimDispatch } from "../../src/durable-objects/subscription/claim.ts";
import { EndpointWatch } from "../../src/durable-objects/subscription/endpoint-watch.ts";
import { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import type { EndpointHealthReport } from "../../src/core/subscription-report.ts";
import type { SettledDelivery } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import { subscription } from "../../src/stubs.ts";
import { env } from "../builders/objects.ts";
import { ACCEPTED, FAILED, LedgerWorld, outcomeOf } from "./ledger-world.ts";

const BREAKER = { failures: 4, overMs: 0, probeEveryMs: 60_000, disableAfterMs: null };

/** A ledger with its watch, and every call that the watch makes. */
class WatchedWorld extends LedgerWorld {
  readonly calls: string[] = [];
  /** The object cannot be reached. */
  isLost = false;

  constructor(id: string, more: Partial<SubscriptionDefinition> = {}) {
    super(id, ["t"], { breaker: BREAKER, retry: { maxAttempts: 50, delaysMs: [0], retryOn4xx: false }, ...more });
  }

  /** What one settle tells the watch; the answer says whether it freed the ledger. */
  observe(...outcomes: readonly AttemptOutcome[]): Promise<boolean> {
    return this.watch(async (watch) => {
      const isFreed = watch.observe(outcomes.map((outcome, index) => settledOf(index + 1, outcome)));
      await watch.tell();
      return isFreed;
    });
  }

  look(): Promise<EndpointHealthReport> {
    return this.watch((watch) => watch.look());
  }

  watch<T>(use: (watch: EndpointWatch, ledger: Ledger) => Promise<T>): Promise<T> {
    return this.step((ledger) => use(new EndpointWatch(ledger, this.#countingEnv()), ledger));
  }

  heldUntil(): Promise<number | null> {
    return this.step((ledger) => ledger.heldUntil);
  }

  #countingEnv(): Env {
    const getByName = (name: string) => ({
      fetch: async (url: string, init: RequestInit) => {
        this.calls.push(url.split("/").at(-1)!);
        if (this.isLost) throw new Error("the object is not there");
        return env.ENDPOINT_HEALTH.getByName(name).fetch(url, init);
      },
    });
    return { ...env, ENDPOINT_HEALTH: { getByName } as unknown as Env["ENDPOINT_HEALTH"] };
  }
}

const settledOf = (offset: number, outcome: AttemptOutcome): SettledDelivery =>
  outcomeOf({ source: 1, offset }, outcome);

async function begin(id: string, more: Partial<SubscriptionDefinition> = {}): Promise<WatchedWorld> {
  const world = new WatchedWorld(id, more);
  await world.define();
  return world;
}

describe("[EPH-3] the object is called", () => {
  it("never while every attempt is accepted", async () => {
    const world = await begin("calls-none");
    for (let settle = 0; settle < 50; settle += 1) await world.observe(ACCEPTED, ACCEPTED);
    expect(world.calls).toEqual([]);
  });

  it("once for a settle with failures, however many, and once for the success that ends them", async () => {
    const world = await begin("calls-once", { breaker: { ...BREAKER, failures: 1_000 } });
    await world.observe(...Array.from({ length: 20 }, () => FAILED));
    expect(await world.look()).toMatchObject({ state: "closed", failures: 20 });
    await world.observe(ACCEPTED);
    await world.observe(ACCEPTED);
    await world.observe(ACCEPTED);
    expect(world.calls).toEqual(["tell", "look", "tell"]);
    expect(await world.look()).toEqual({ state: "closed", failures: 0, since: null, nextProbeAt: null });
    expect(world.calls).toHaveLength(3); // An endpoint that is well is not asked about.
  });

  it("once for all the settles that come while it has not answered", async () => {
    const world = await begin("calls-joined", { breaker: { ...BREAKER, failures: 1_000 } });
    await world.watch(async (watch) => {
      const tellings = Array.from({ length: 30 }, (_, index) => {
        watch.observe([settledOf(index + 1, FAILED)]);
        return watch.tell();
      });
      await Promise.all(tellings);
    });
    expect(world.calls).toEqual(["tell", "tell"]);
    expect(await world.look()).toMatchObject({ failures: 30 });
  });

  it.each([
    ["failing", 2],
    ["held-back", 4],
  ])("again after each success until it has heard of one, of an endpoint that was %s", async (id, failures) => {
    const world = await begin(`calls-${id}`);
    await world.observe(...Array.from({ length: failures }, () => FAILED));
    world.isLost = true;
    await world.observe(ACCEPTED);
    world.isLost = false;
    await world.observe(ACCEPTED);
    await world.observe(ACCEPTED);
    expect(world.calls).toEqual(["tell", "tell", "tell"]);
    await world.observe(FAILED, FAILED, FAILED);
    expect(await world.look()).toMatchObject({ state: "closed", failures: 3 });
  });
});

describe("[EPH-2] where keys are ordered", () => {
  const keyed = (key: string | null, offset: number): SettledDelivery => {
    const line = JSON.stringify({ id: `e${offset}`, ...(key !== null && { partitionkey: key }), data: 1 });
    return { ...settledOf(offset, FAILED), line };
  };
  const observe = async (id: string, ...settled: readonly SettledDelivery[]): Promise<number | null> => {
    const world = await begin(id, { ordering: "key" });
    await world.watch(async (watch) => {
      watch.observe(settled);
      await watch.tell();
    });
    return world.heldUntil();
  };

  it("one key that fails holds back no other, however often", async () => {
    expect(await observe("one-key", ...Array.from({ length: 50 }, (_, index) => keyed("a", index + 1)))).toBeNull();
  });

  it("two keys that fail, or two events without one, are the endpoint's doing", async () => {
    expect(await observe("two-keys", keyed("a", 1), keyed("b", 2), keyed("a", 1), keyed("b", 2))).not.toBeNull();
    expect(await observe("no-keys", keyed(null, 1), keyed(null, 1), keyed(null, 1), keyed(null, 1))).toBeNull();
    expect(await observe("none", keyed(null, 1), keyed(null, 2), keyed(null, 3), keyed(null, 4))).not.toBeNull();
  });
});

describe("[EPH-6] while the endpoint is not well", () => {
  it("nothing goes out, and when its time has come one delivery does", async () => {
    const world = await begin("held");
    await world.push(30);
    const [first] = world.sent;
    await world.observe(FAILED, FAILED, FAILED, FAILED);
    const heldUntil = (await world.heldUntil())!;
    expect(heldUntil).toBeGreaterThan(Date.now() + 50_000);
    expect(await world.look()).toMatchObject({ state: "open", nextProbeAt: new Date(heldUntil).toISOString() });

    expect(await world.claim(first!.dispatch)).toEqual({ kind: "nothing" });
    const sent = world.sent.length;
    await world.push(10);
    await world.pump();
    await world.step((ledger) => {
      world.sent.push(...ringUnclaimed(ledger, heldUntil - 1, false));
      world.sent.push(...ringUnclaimed(ledger, heldUntil - 1, true));
    });
    expect(world.sent).toHaveLength(sent);
    expect(await world.stats()).toMatchObject({ owed: 30, lag: 10 });

    await world.step((ledger) => {
      const probe = claimDispatch(ledger, first!.dispatch, heldUntil);
      expect(probe).toMatchObject({ kind: "claimed", deliveries: [{ offset: 1 }] });
      expect(probe.kind === "claimed" && probe.deliveries).toHaveLength(1);
      // The next one waits for this one's lease.
      expect(ledger.heldUntil).toBe(heldUntil + world.definition.timeoutMs + LIMITS.CLAIM_MARGIN_MS);
      for (const { id } of ledger.dispatches.all())
        expect(claimDispatch(ledger, id, heldUntil)).toEqual({ kind: "nothing" });
    });
  });

  it("a dispatch under way is told to stop", async () => {
    const world = await begin("stopped");
    await world.push(10);
    const { dispatch } = world.sent[0]!;
    const by = await world.claimed(dispatch);
    await world.observe(FAILED, FAILED, FAILED, FAILED);
    expect(await world.settle(dispatch, by, [FAILED], false)).toEqual({ continue: false });
  });

  it("the alarm stands at the next probe, and does not spin before it", async () => {
    const world = await begin("alarm");
    await world.push(3);
    await world.settleNewest(FAILED);
    await world.push(40, 5);
    await world.observe(FAILED, FAILED, FAILED, FAILED);
    await world.step((ledger) => ledger.operations.removeThrough(1)); // The topic of operations has been told.
    const heldUntil = await world.heldUntil();
    const alarmAt = (): Promise<number | null> =>
      runInDurableObject(subscription(env, "app_test", "alarm"), async (_object, state) => {
        await state.storage.deleteAlarm();
        await new LedgerAlarm(new Ledger(state)).stand(heldUntil! - LIMITS.LEDGER_LOOK_MS); // No farther ahead.
        return state.storage.getAlarm();
      });
    expect(await alarmAt()).toBe(heldUntil);
  });

  it("one success lets everything go again", async () => {
    const world = await begin("freed");
    await world.push(60);
    await world.observe(FAILED, FAILED, FAILED, FAILED);
    expect(await world.observe(ACCEPTED)).toBe(true);
    expect(await world.heldUntil()).toBeNull();
    const rung = await world.step((ledger) => ringUnclaimed(ledger, Date.now(), true));
    expect(rung.length).toBeGreaterThan(0);
    expect(await world.look()).toMatchObject({ state: "closed", failures: 0 });
  });
});

describe("[EPH-7] the health of an endpoint that nobody can tell", () => {
  it("holds nothing back for ever: when the object is lost, the probes go on", async () => {
    const world = await begin("lost");
    await world.push(20);
    await world.observe(FAILED, FAILED, FAILED, FAILED);
    world.isLost = true;
    const heldUntil = (await world.heldUntil())!;
    expect(await world.look()).toMatchObject({ state: "open", failures: 0 });
    await world.step((ledger) => {
      expect(claimDispatch(ledger, world.sent[0]!.dispatch, heldUntil).kind).toBe("claimed");
    });
    await world.observe(FAILED);
    expect(await world.heldUntil()).toBeGreaterThan(heldUntil);
    expect(await world.observe(ACCEPTED)).toBe(true);
    expect(await world.heldUntil()).toBeNull();
  });

  it("begins anew when what the object kept is gone", async () => {
    const world = await begin("forgotten");
    await world.observe(FAILED, FAILED, FAILED, FAILED);
    const stub = env.ENDPOINT_HEALTH.getByName(JSON.stringify(["health", "app_test", "forgotten"]));
    await runInDurableObject(stub, async (object, state) => {
      await state.storage.deleteAll();
      Object.assign(object, { phase: "closed", failures: 0, since: 0, probeAt: 0, failedKey: "" });
    });
    await world.observe(FAILED);
    expect(await world.heldUntil()).toBeNull();
    expect(await world.look()).toMatchObject({ state: "closed", failures: 1 });
  });

  it("does not hold back after a success that came while the object was judging", async () => {
    const world = await begin("overtaken");
    const holds: (number | null)[] = [];
    await world.watch(async (watch, ledger) => {
      const write = ledger.watchEndpoint.bind(ledger);
      ledger.watchEndpoint = (endpoint) => {
        holds.push(endpoint?.heldUntil ?? null);
        write(endpoint);
      };
      watch.observe(Array.from({ length: 9 }, (_, index) => settledOf(index + 1, FAILED)));
      const telling = watch.tell();
      watch.observe([settledOf(10, ACCEPTED)]);
      await telling;
    });
    expect(holds).toEqual([null, null]); // Watched, and then well: held back at no time between.
    expect(await world.heldUntil()).toBeNull();
    expect(await world.look()).toMatchObject({ state: "closed", failures: 0, since: null });
  });
});

it("[EPH-5] what has failed for as long as the owner waits is disabled, and its deliveries stay owed", async () => {
  const world = await begin("given-up", { breaker: { ...BREAKER, disableAfterMs: 1_000 } });
  await world.push(20);
  await world.observe(FAILED, FAILED, FAILED, FAILED);
  const stub = env.ENDPOINT_HEALTH.getByName(JSON.stringify(["health", "app_test", "given-up"]));
  await runInDurableObject(stub, (object) => {
    Object.assign(object, { since: Date.now() - 1_000 });
  });
  expect(await world.step((ledger) => ledger.state)).toBe("active");
  await world.observe(FAILED);
  expect(await world.step((ledger) => ledger.state)).toBe("disabled");
  expect(await world.stats()).toMatchObject({ owed: 20, dead: 0 });
});

it("[EPH-8] an operator who says that it is well is believed", async () => {
  const world = await begin("mended");
  await world.observe(FAILED, FAILED, FAILED, FAILED);
  await world.watch((watch) => watch.mend());
  expect(await world.look()).toEqual({ state: "closed", failures: 0, since: null, nextProbeAt: null });
  await world.observe(FAILED, FAILED, FAILED);
  expect(await world.look()).toMatchObject({ state: "closed", failures: 3 });
});
