/** Which dead letters a redrive or a discard means: `{ "ids": […] }` or `{ "all": true }`, `"dryRun"` to count only. */
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export interface RepairRequest {
  readonly choice: { readonly kind: "all" } | { readonly kind: "ids"; readonly ids: readonly string[] };
  readonly dryRun: boolean;
}

export function parseRepairRequest(text: string): Result<RepairRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["ids", "all", "dryRun"]);
  const dryRun = reader.boolean(given.get("dryRun"), "/dryRun") ?? false;
  const all = reader.boolean(given.get("all"), "/all") ?? false;
  const ids = readIds(reader, given.get("ids"));
  if (all === (ids !== null)) reader.refuse("", "Say either all: true or ids: a list.");
  return reader.finish("parameter_invalid", () => ({
    choice: ids === null ? { kind: "all" } : { kind: "ids", ids },
    dryRun,
  }));
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
