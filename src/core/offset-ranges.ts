/** Offsets as ranges, both ends included. */
import { joinLines, splitLines } from "./event.ts";

export interface OffsetRange {
  readonly first: number;
  readonly last: number;
}

/** The ranges that these offsets make, in order. */
export function joinOffsets(offsets: readonly number[]): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (const offset of offsets.toSorted((left, right) => left - right)) {
    const range = ranges.at(-1);
    if (range !== undefined && offset <= range.last + 1) ranges[ranges.length - 1] = { ...range, last: offset };
    else ranges.push({ first: offset, last: offset });
  }
  return ranges;
}

/** Of a batch, the events whose offsets lie in one of the ranges, which stand in order. */
export function onlyWithin(
  { offsets, body }: { readonly offsets: readonly number[]; readonly body: string },
  ranges: readonly OffsetRange[],
): { readonly offsets: number[]; readonly body: string } {
  const lines = splitLines(body);
  let at = 0;
  const kept = [...offsets.keys()].filter((index) => {
    const offset = offsets[index]!;
    while (at < ranges.length && ranges[at]!.last < offset) at += 1;
    return at < ranges.length && ranges[at]!.first <= offset;
  });
  return { offsets: kept.map((index) => offsets[index]!), body: joinLines(kept.map((index) => lines[index]!)) };
}
