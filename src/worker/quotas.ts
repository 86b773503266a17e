/**
 * Spends what an app and a key may have over time. Most of it is spent in memory, from chunks that the app's meter
 * lends to this isolate; who has no such quota asks nobody.
 */
import { draftBytes } from "../core/draft-builder.ts";
import type { EventDraft } from "../core/event.ts";
import { LIMITS } from "../core/limits.ts";
import type { Principal } from "../core/principal.ts";
import type { LeaseAnswer, LeaseAsk, RateName } from "../core/quota-lease.ts";
import { rateUsedUp } from "../core/quota-refusal.ts";
import { QuotaWallet, type Held } from "../core/quota-wallet.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { quotaMeter } from "../stubs.ts";

/** How much of each is to be spent. */
export type Costs = Readonly<Partial<Record<RateName, number>>>;

const TRIES = 3;
const LOOKS = 3;
const LOOK_MS = 10;

const wallets = new Map<string, QuotaWallet>();

/**
 * All of the costs or nothing. What was spent stays spent, whatever becomes of the request. Fails with
 * `quota_exceeded`, or with `quota_unavailable` when the meter cannot be reached: what an app pays for is never given
 * away. A mere rate of requests then lets pass instead, because turning everybody away is the greater harm.
 */
export async function spendQuotas(env: Env, principal: Principal, costs: Costs): Promise<Result<null>> {
  const needs = needsOf(principal, costs);
  if (needs.length === 0) return ok(null);
  const wallet = walletOf(principal.app);
  if (wallet.spend(needs, Date.now())) return ok(null);
  const refused = refusalOf(wallet, needs);
  if (refused !== null) return refused;
  try {
    return await borrow(env, principal.app, wallet, needs);
  } catch (error) {
    logStage("quota.unreachable", { app: principal.app, error: String(error) });
    const isHarmless = needs.every(({ rate }) => rate === "requestsPerSecond");
    return isHarmless ? ok(null) : fail("quota_unavailable", undefined, { retryAfterSeconds: 1 });
  }
}

/** Events and their bytes, which are measured only where somebody counts them. */
export function spendOnEvents(env: Env, principal: Principal, drafts: readonly EventDraft[]): Promise<Result<null>> {
  const areBytesCounted = needsOf(principal, { bytesPerDay: 1 }).length > 0;
  const bytesPerDay = areBytesCounted ? drafts.reduce((sum, draft) => sum + draftBytes(draft), 0) : 0;
  return spendQuotas(env, principal, { eventsPerDay: drafts.length, bytesPerDay });
}

/** A token spends what its key may have. */
function needsOf(principal: Principal, costs: Costs): LeaseAsk[] {
  const ofKey = principal.kind === "root" ? null : { subject: principal.key, quotas: principal.keyQuotas };
  const holders = [{ subject: "app", quotas: principal.quotas }, ...(ofKey === null ? [] : [ofKey])];
  return holders.flatMap(({ subject, quotas }) =>
    Object.entries(costs).flatMap(([name, units]) => {
      const rate = name as RateName;
      const limit = quotas[rate];
      return limit === undefined || units === 0 ? [] : [{ subject, rate, limit, units }];
    }),
  );
}

/**
 * Asks the meter for what is lacking. Each request asks for itself: one that waited for another's answer would wait for
 * ever when that one's client hangs up.
 */
async function borrow(env: Env, app: string, wallet: QuotaWallet, needs: readonly LeaseAsk[]): Promise<Result<null>> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const held = wallet.withdraw(needs, Date.now());
    const asks = lackingOf(held);
    const answers = await askMeter(env, app, asks, wallet, held);
    for (const [index, ask] of asks.entries()) wallet.borrow(ask, answers[index]!, Date.now());
    if (wallet.spend(needs, Date.now())) return ok(null);
    if (answers.every(({ units }) => units > 0)) continue; // A window has ended on the way: what was held has lapsed.
    if (await spendLater(wallet, needs)) return ok(null);
    for (const [index, ask] of asks.entries()) {
      if (answers[index]!.units === 0) wallet.refuse(ask, answers[index]!, Date.now());
    }
    const refused = refusalOf(wallet, needs);
    if (refused !== null) return refused;
  }
  return fail("quota_unavailable", undefined, { retryAfterSeconds: 1 });
}

const lackingOf = (held: readonly Held[]): LeaseAsk[] =>
  held.flatMap(({ need, units }) => (units < need.units ? [{ ...need, units: need.units - units }] : []));

/** Puts back what was held, answered or not. */
async function askMeter(
  env: Env,
  app: string,
  asks: readonly LeaseAsk[],
  wallet: QuotaWallet,
  held: readonly Held[],
): Promise<readonly LeaseAnswer[]> {
  try {
    return asks.length === 0 ? [] : await quotaMeter(env, app).lease(asks, wallet.idle(Date.now()));
  } finally {
    wallet.putBack(held, Date.now());
  }
}

/** The meter has lent everything; what other requests of this isolate have borrowed may still be on its way here. */
async function spendLater(wallet: QuotaWallet, needs: readonly LeaseAsk[]): Promise<boolean> {
  for (let looks = 0; looks < LOOKS; looks += 1) {
    await scheduler.wait(LOOK_MS);
    if (wallet.spend(needs, Date.now())) return true;
  }
  return false;
}

function refusalOf(wallet: QuotaWallet, needs: readonly LeaseAsk[]): Result<never> | null {
  const now = Date.now();
  const refusal = wallet.refusal(needs, now);
  return refusal === null ? null : rateUsedUp(refusal.ask, refusal.remaining, refusal.endsAt - now);
}

function walletOf(app: string): QuotaWallet {
  const known = wallets.get(app);
  if (known !== undefined) return known;
  if (wallets.size >= LIMITS.CONFIG_CACHE_ENTRIES_MAX) wallets.clear(); // What they hold is lost, never doubled.
  const fresh = new QuotaWallet();
  wallets.set(app, fresh);
  return fresh;
}
