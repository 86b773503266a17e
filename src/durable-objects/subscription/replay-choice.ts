/** What a source looks at next of its log, and what of that it takes: for a replay both are narrower. */
import { compileFilter, type Filter } from "../../core/filter.ts";
import type { Taken } from "../../core/ledger-take.ts";
import { joinOffsets, onlyWithin } from "../../core/offset-ranges.ts";
import type { EventBatch } from "../rpc.ts";
import type { JobSpec } from "./job-store.ts";
import type { Ledger } from "./ledger.ts";
import type { Source } from "./source-store.ts";

/** Offsets in (after, until]; `until` null: the log's head. */
export interface Stretch {
  readonly after: number;
  readonly until: number | null;
}

export function nextStretch(ledger: Ledger, source: Source): Stretch {
  const { examined, granted } = source;
  if (granted === null || specOf(ledger, source)?.mode !== "missing") return { after: examined, until: granted };
  const [range] = ledger.passedOver.list(source, { first: examined + 1, last: granted }, 1);
  return range === undefined ? { after: granted, until: granted } : { after: range.first - 1, until: range.last };
}

export interface Chosen {
  readonly batch: EventBatch & { readonly through: number };
  readonly filter: Filter;
}

/** Of a page, what the source may take. */
export function chooseFrom(ledger: Ledger, source: Source, page: Chosen["batch"]): Chosen {
  const spec = specOf(ledger, source);
  if (spec === null || source.granted === null) return { batch: page, filter: ledger.filter };
  const filter = spec.filter === null ? ledger.filter : bothOf(ledger.filter, compileFilter(spec.filter));
  const through = Math.min(page.through, source.granted);
  if (spec.mode === "force") return { batch: { ...page, through }, filter };
  const wanted = ledger.passedOver.list(source, { first: source.examined + 1, last: through });
  return { batch: { ...onlyWithin(page, wanted), through }, filter };
}

/** In the transaction that takes them: what was missing is owed now. What the job's filter leaves out stays missing. */
export function noteTaken(ledger: Ledger, source: Source, { events, waiting, through }: Taken): void {
  const spec = specOf(ledger, source);
  if (spec?.mode !== "missing") return;
  const looked = { first: source.examined + 1, last: through };
  ledger.jobs.addDone(source.replay, ledger.passedOver.count(source, looked));
  const found = spec.filter === null ? [looked] : joinOffsets([...events, ...waiting].map(({ offset }) => offset));
  for (const range of found) ledger.passedOver.take(source, range);
}

type ReplaySpec = Extract<JobSpec, { readonly mode: "force" | "missing" }>;

const specOf = (ledger: Ledger, { replay }: Source): ReplaySpec | null =>
  replay === 0 ? null : (ledger.jobs.get(replay)!.spec as ReplaySpec);

const bothOf = (left: Filter, right: Filter): Filter => ({
  ...left,
  readsContent: true,
  matches: (event) => left.matches(event) && right.matches(event),
});
