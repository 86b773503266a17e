/**
 * Two seats, measured in turns: a block here, a block there, the order changing from pair to pair, so that neither
 * always runs on the machine that the other has just warmed. Only one is under load at a time.
 */
import type { Pair, Sample } from "./figures.ts";
import { Side, stopSides } from "./sides/side.ts";
import type { SideKind } from "./sides/messages.ts";
import type { Sizes } from "./sizes.ts";

export interface Seat {
  block(): Promise<Sample>;
  close?(): void;
}

export interface Seats {
  readonly subject: Seat;
  readonly baseline: Seat;
  /** Of the runtimes under the seats. */
  memoryMb(): { readonly subject: number; readonly baseline: number | null };
}

/** Who sits where: the hub against the yardstick or, as a control, the yardstick against itself. */
export interface Kinds {
  readonly subject: SideKind;
  readonly baseline: SideKind;
}

export interface Measure {
  readonly name: string;
  readonly says: string;
  /** It asks what only the hub can answer, so a control run leaves it out. */
  readonly isHubOnly?: boolean;
  /** Why it cannot be taken on this machine, and is skipped; null: it can. */
  absence?(): string | null;
  sit(sizes: Sizes, kinds: Kinds): Promise<Seats>;
}

export interface Measured {
  readonly pairs: readonly Pair[];
  readonly memoryMb: { readonly subject: number; readonly baseline: number | null };
}

/** Both sides fresh, each prepared the same way. */
export async function twoSides(kinds: Kinds, prepare: (side: Side) => Promise<Seat>): Promise<Seats> {
  const subject = await Side.start(kinds.subject);
  const baseline = await Side.start(kinds.baseline);
  return {
    subject: await prepare(subject),
    baseline: await prepare(baseline),
    memoryMb: () => ({ subject: subject.memoryMb, baseline: baseline.memoryMb }),
  };
}

export async function measureInTurns(measure: Measure, sizes: Sizes, kinds: Kinds): Promise<Measured> {
  let seats: Seats | undefined;
  try {
    seats = await measure.sit(sizes, kinds);
    await seats.subject.block(); // Thrown away: code not yet compiled, caches not yet filled.
    await seats.baseline.block();
    const pairs: Pair[] = [];
    for (let pair = 0; pair < sizes.pairs; pair += 1) pairs.push(await measurePair(seats, pair % 2 === 0));
    return { pairs, memoryMb: seats.memoryMb() };
  } finally {
    seats?.subject.close?.();
    seats?.baseline.close?.();
    await stopSides();
  }
}

async function measurePair(seats: Seats, subjectFirst: boolean): Promise<Pair> {
  if (subjectFirst) {
    const subject = await seats.subject.block();
    return { subject, baseline: await seats.baseline.block() };
  }
  const baseline = await seats.baseline.block();
  return { subject: await seats.subject.block(), baseline };
}
