/** Quotas of an app or a key: whole numbers by name; what is not named has its default or no bound. */
import type { QuotaName, Quotas } from "../../core/quotas.ts";
import type { DefinitionReader } from "./definition-reader.ts";

const COUNT = { min: 1, max: Number.MAX_SAFE_INTEGER };

export function readQuotas(
  reader: DefinitionReader,
  raw: string | undefined,
  pointer: string,
  names: readonly QuotaName[],
): Quotas {
  if (raw === undefined) return {};
  const given = reader.object(raw, pointer, names);
  const quotas = names.map((name) => [name, reader.integer(given.get(name), `${pointer}/${name}`, COUNT)] as const);
  return Object.fromEntries(quotas.filter(([, quota]) => quota !== null));
}
