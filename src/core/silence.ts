/**
 * Whether a socket is still there. A peer that vanishes says nothing, so a hub looks once a while at when each member
 * was heard of last, and asks who has been quiet. So a member need not ping, and one that pings need not answer.
 */
export interface SilencePlan {
  /** Heard of within so long: not even asked. */
  readonly quietMs: number;
  /** Asked, and not heard of for so long: gone. */
  readonly silentMs: number;
  /** From the questions to the look at their answers. Shorter than the runtime takes to put a hub to sleep. */
  readonly answerMs: number;
  /** From one round of questions to the next: a hub's only wake for presence. */
  readonly lookMs: number;
  /** A room that has not heard of a hub for so long asks it; without an answer the hub's members leave. */
  readonly leaseMs: number;
}

/** With the default of 30 s: who was heard of 5 s before a round is asked in the next, and gone 72.5 s after. */
export const silencePlan = (silentMs: number): SilencePlan => ({
  quietMs: silentMs / 6,
  silentMs,
  answerMs: silentMs / 4,
  lookMs: silentMs * 2,
  leaseMs: silentMs * 5,
});

/**
 * Of those who are only signed in: a hub looks at them as seldom as at who follows, and who pings at least as often as
 * Pusher's clients do (every two minutes) is not even asked. A hub has that look after a crash too, so nobody else has
 * to ask for it.
 */
export const signedInPlan = (silentMs: number): SilencePlan => ({
  quietMs: silentMs * 5,
  silentMs: silentMs * 6,
  answerMs: silentMs / 4,
  lookMs: silentMs * 10,
  leaseMs: Infinity,
});

export type SilenceVerdict =
  | { readonly kind: "heard" }
  | { readonly kind: "ask" }
  /** Its answer, or the ping that it may send by itself, may still come. */
  | { readonly kind: "wait"; readonly until: number }
  | { readonly kind: "gone" };

/** In a round of questions. */
export const judgeQuiet = (heardAt: number, now: number, { quietMs }: SilencePlan): SilenceVerdict =>
  now - heardAt >= quietMs ? { kind: "ask" } : { kind: "heard" };

/** In a look at the answers to the round of `askedAt`. */
export function judgeAnswer(heardAt: number, askedAt: number, now: number, plan: SilencePlan): SilenceVerdict {
  if (askedAt - heardAt < plan.quietMs) return { kind: "heard" }; // It was not asked, or it has answered.
  const until = heardAt + plan.silentMs;
  return now >= until ? { kind: "gone" } : { kind: "wait", until };
}

/**
 * How long the member of a connection that closed with that code may stay away without leaving (RFC 6455, §7.4). Codes
 * of 4400 and more are the hub's own, and final: a credential ended, or nobody is there.
 */
export function graceAfterClose(code: number, grace: { readonly clean: number; readonly reset: number }): number {
  if (code >= 4_400) return 0;
  const isClean = code === 1_000 || code === 1_001 || code === 1_005 || code >= 4_000;
  return isClean ? grace.clean : grace.reset;
}
