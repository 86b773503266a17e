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
  secret: "s",
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

  it("[QUO-10] waits for what another request has borrowed before it turns one away", async () => {
    const endsAt = Math.ceil(Date.now() / 86_400_000) * 86_400_000;
    let asked = 0;
    const slow = {
      getByName: () => ({
        lease: async () => {
          asked += 1;
          if (asked > 1) return [{ units: 0, remaining: 0, endsAt }];
          await scheduler.wait(15); // The last two units, and their answer comes after the refusal of the next ask.
          return [{ units: 2, remaining: 0, endsAt }];
        },
      }),
    } as unknown as Env["QUOTA_METER"];
    const principal = principalWith({ eventsPerDay: 20 });
    const spend = () => spendQuotas({ ...env, QUOTA_METER: slow }, principal, { eventsPerDay: 1 });
    expect((await Promise.all([spend(), spend()])).map(({ ok }) => ok)).toEqual([true, true]);
    expect(await spend()).toMatchObject({ ok: false, failure: { code: "quota_exceeded", limit: 20, actual: 21 } });
    expect(await spend()).toMatchObject({ ok: false });
    expect(asked, "who has just heard that nothing is left asks no more").toBe(3);
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
