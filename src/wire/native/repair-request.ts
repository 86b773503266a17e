/**
 * Which dead letters a redrive or a discard means: `{ "ids": […] }`, `{ "filter": … }`, `{ "fingerprint": "…" }` or
 * `{ "all": true }`; `"dryRun"` to count only, `"ratePerSecond"` to go slowly.
 */
import type { FilterPattern } from "../../core/filter-pattern.ts";
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { parseFilterMember } from "./filter-member.ts";

export interface RepairRequest {
  readonly choice:
    | { readonly kind: "all" }
    | { readonly kind: "ids"; readonly ids: readonly string[] }
    | { readonly kind: "filter"; readonly filter: FilterPattern }
    | { readonly kind: "fingerprint"; readonly fingerprint: string };
  readonly dryRun: boolean;
  readonly ratePerSecond: number | null;
}

const RATE = { min: 1, max: LIMITS.REPAIR_DELIVERIES_PER_SECOND_MAX };

/** Failures: those of `parseDefinition`, `parameter_invalid`, `filter_invalid`. */
export function parseRepairRequest(text: string): Result<RepairRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["ids", "filter", "fingerprint", "all", "dryRun", "ratePerSecond"]);
  const dryRun = reader.boolean(given.get("dryRun"), "/dryRun") ?? false;
  const ratePerSecond = reader.integer(given.get("ratePerSecond"), "/ratePerSecond", RATE);
  const all = reader.boolean(given.get("all"), "/all") ?? false;
  const ids = readIds(reader, given.get("ids"));
  const fingerprint = reader.text(given.get("fingerprint"), "/fingerprint", LIMITS.DELIVERY_ID_CHARS_MAX);
  const filter = parseFilterMember(given.get("filter"));
  if (!filter.ok && reader.errors.length === 0) return filter;
  const choices: (RepairRequest["choice"] | false)[] = [
    all && { kind: "all" },
    ids !== null && { kind: "ids", ids },
    fingerprint !== null && { kind: "fingerprint", fingerprint },
    filter.ok && filter.value !== null && { kind: "filter", filter: filter.value },
  ];
  const [choice, ...others] = choices.filter((made) => made !== false);
  if (choice === undefined || others.length > 0)
    reader.refuse("", "Say one of all: true, ids: a list, fingerprint: a group's, filter: a pattern.");
  return reader.finish("parameter_invalid", () => ({ choice: choice!, dryRun, ratePerSecond }));
}

/** Null when there are none. */
function readIds(reader: DefinitionReader, raw: string | undefined): readonly string[] | null {
  if (raw === undefined) return null;
  return reader.list(raw, "/ids", LIMITS.LIST_ITEMS_MAX).map((item, index) => {
    const id = stringOf(item);
    if (id === null || id.length > LIMITS.DELIVERY_ID_CHARS_MAX)
      reader.refuse(`/ids/${index}`, "This is the id of a dead letter.");
    return id ?? "";
  });
}
