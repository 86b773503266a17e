/** The object behind its typed façade: its state outlives evictions, and its clock is the caller's. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { CLOSED_BREAKER, type BreakerPolicy, type EndpointReport } from "../../src/core/breaker.ts";
import { objectName } from "../../src/core/keys.ts";
import { endpointHealth } from "../../src/stubs.ts";
import { env } from "../builders/objects.ts";

const NOW = 1_700_000_000_000;
const POLICY: BreakerPolicy = { failures: 3, overMs: 1_000, probeEveryMs: 5_000, disableAfterMs: 60_000 };
const FAILED: EndpointReport = { succeeded: false, failures: 2, failedKey: "1f", byKey: false };
const SUCCEEDED: EndpointReport = { succeeded: true, failures: 0, failedKey: "", byKey: false };

const stubOf = (id: string) => env.ENDPOINT_HEALTH.getByName(objectName("health", "app", id));

describe("the health of an endpoint", () => {
  it("[EPH-4] outlives evictions, from the first failure to the first success", async () => {
    const health = endpointHealth(env, "app", "evicted");
    expect(await health.look(NOW)).toEqual(CLOSED_BREAKER);
    expect((await health.tell(FAILED, POLICY, NOW)).breaker).toMatchObject({
      phase: "closed",
      failures: 2,
      since: NOW,
    });
    await evictDurableObject(stubOf("evicted"));
    const opened = await health.tell(FAILED, POLICY, NOW + 1_000);
    expect(opened).toMatchObject({ breaker: { phase: "open", failures: 4, probeAt: NOW + 6_000 }, disable: false });
    await evictDurableObject(stubOf("evicted"));
    expect(await health.look(NOW + 5_999)).toMatchObject({ phase: "open", failures: 4 });
    expect(await health.look(NOW + 6_000)).toMatchObject({ phase: "half_open" });
    await evictDurableObject(stubOf("evicted"));
    expect(await health.tell(FAILED, POLICY, NOW + 60_000)).toMatchObject({ disable: true });
    expect((await health.tell(SUCCEEDED, POLICY, NOW + 60_001)).breaker).toEqual(CLOSED_BREAKER);
    await evictDurableObject(stubOf("evicted"));
    expect(await health.look(NOW)).toEqual(CLOSED_BREAKER);
  });

  it("[EPH-4] is another for each subscription, and begins anew when it is mended", async () => {
    await endpointHealth(env, "app", "mended").tell(FAILED, POLICY, NOW);
    expect(await endpointHealth(env, "app", "other").look(NOW)).toEqual(CLOSED_BREAKER);
    expect(await endpointHealth(env, "app", "mended").mend()).toEqual(CLOSED_BREAKER);
    await evictDurableObject(stubOf("mended"));
    expect(await endpointHealth(env, "app", "mended").look(NOW)).toEqual(CLOSED_BREAKER);
  });

  it("[EPH-4] keeps nothing but its scalars, and a look writes nothing", async () => {
    const stored = (id: string): Promise<unknown> =>
      runInDurableObject(stubOf(id), async (_object, state) => [...(await state.storage.list())]);
    await endpointHealth(env, "app", "looked").look(NOW);
    expect(await stored("looked")).toEqual([]);
    await endpointHealth(env, "app", "told").tell(FAILED, POLICY, NOW);
    expect(await stored("told")).toEqual([
      ["data", { phase: "closed", failures: 2, since: NOW, probeAt: 0, failedKey: "1f" }],
    ]);
    await endpointHealth(env, "app", "told").tell(SUCCEEDED, POLICY, NOW);
    expect(await stored("told")).toEqual([]);
  });
});
