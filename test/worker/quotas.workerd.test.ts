import { describe, expect, it } from "vitest";
import type { Principal } from "../../src/core/principal.ts";
import type { Quotas } from "../../src/core/quotas.ts";
import type { Env } from "../../src/env.ts";
import { spendQuotas, type Costs } from "../../src/worker/quotas.ts";
import { env } from "../builders/objects.ts";

let apps = 0;

const principalWith = (quotas: Quotas, keyQuotas: Quotas = {}): Principal => ({
  kind: "key",
  app: `app_quota_${(apps += 1)}`,
  appName: "tests",
  key: "k",
  quotas,
  keyQuotas,
  scopes: [],
  expiresAt: null,
});

/** How many of so many at once pass. */
async function passedOf(times: number, principal: Principal, costs: Costs): Promise<number> {
  const answers = Array.from({ length: times }, () => spendQuotas(env, principal, costs));
  return (await Promise.all(answers)).filter(({ ok }) => ok).length;
}

describe("spendQuotas", () => {
  it("[QUO-10] lets every unit be spent when all are asked for at once, and none more", async () => {
    for (const limit of [1, 9, 100]) {
      expect(await passedOf(limit, principalWith({ eventsPerDay: limit }), { eventsPerDay: 1 })).toBe(limit);
      expect(await passedOf(limit + 20, principalWith({ eventsPerDay: limit }), { eventsPerDay: 1 })).toBe(limit);
    }
    const inThrees = principalWith({ eventsPerDay: 100 });
    expect(await passedOf(60, inThrees, { eventsPerDay: 3 })).toBe(33);
    expect(await passedOf(3, inThrees, { eventsPerDay: 1 })).toBe(1);
  });

  it("[QUO-6] spends of the app and of the key, or of neither", async () => {
    const principal = principalWith({ eventsPerDay: 10, bytesPerDay: 100 }, { bytesPerDay: 40 });
    expect(await passedOf(10, principal, { eventsPerDay: 1, bytesPerDay: 10 })).toBe(4);
    const other = { ...principal, key: "other", keyQuotas: {} };
    expect(await passedOf(10, other, { eventsPerDay: 1, bytesPerDay: 1 }), "what was refused cost nothing").toBe(6);
  });

  it("[QUO-14] turns what is counted by the day away while the meter cannot be reached, and lets requests pass", async () => {
    const broken = {
      getByName: () => ({ lease: () => Promise.reject(new Error("the meter is away")) }),
    } as unknown as Env["QUOTA_METER"];
    const unmetered = { ...env, QUOTA_METER: broken };
    const principal = principalWith({ requestsPerSecond: 1, eventsPerDay: 10 });
    expect(await spendQuotas(unmetered, principal, { requestsPerSecond: 1 })).toMatchObject({ ok: true });
    expect(await spendQuotas(unmetered, principal, { eventsPerDay: 1 })).toMatchObject({
      ok: false,
      failure: { code: "quota_unavailable" },
    });
    expect(await passedOf(20, principal, { eventsPerDay: 1 }), "when it is back, nothing is missing").toBe(10);
  });
});
