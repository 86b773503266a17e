/** Lists that one schema allows and another does not. */
import { differsAt, type InclusionRules, type SchemaDifference } from "./schema-difference.ts";
import type { Schema, SchemaObject } from "./schema.ts";

export function listDifferences(
  narrow: SchemaObject,
  wide: SchemaObject,
  rules: InclusionRules,
): readonly SchemaDifference[] {
  const found = [...itemDifferences(narrow, wide, rules), ...containsDifferences(narrow, wide, rules)];
  if ((narrow.minItems ?? 0) < (wide.minItems ?? 0)) found.push(differsAt("", "minItems"));
  if (longestList(narrow) > longestList(wide) && wide.maxItems !== undefined && longestList(narrow) > wide.maxItems)
    found.push(differsAt("", "maxItems"));
  if (wide.uniqueItems === true && narrow.uniqueItems !== true && longestList(narrow) > 1)
    found.push(differsAt("", "uniqueItems"));
  if (wide.unevaluatedItems !== undefined && wide.unevaluatedItems !== true)
    found.push(differsAt("", "unevaluatedItems", false));
  return found;
}

/** The most items that it allows. */
function longestList({ maxItems = Infinity, prefixItems = [], items = true }: SchemaObject): number {
  return items === false ? Math.min(maxItems, prefixItems.length) : maxItems;
}

function itemDifferences(narrow: SchemaObject, wide: SchemaObject, rules: InclusionRules): SchemaDifference[] {
  const longest = longestList(narrow);
  const placed = Math.max(narrow.prefixItems?.length ?? 0, wide.prefixItems?.length ?? 0);
  const found: SchemaDifference[] = [];
  for (let index = 0; index < Math.min(placed, longest); index += 1) {
    const isPlaced = index < (wide.prefixItems?.length ?? 0);
    found.push(
      ...rules.compare(itemAt(narrow, index), itemAt(wide, index), isPlaced ? `/prefixItems/${index}` : "/items"),
    );
  }
  if (longest > placed) found.push(...rules.compare(narrow.items ?? true, wide.items ?? true, "/items"));
  return found;
}

const itemAt = ({ prefixItems, items }: SchemaObject, index: number): Schema => prefixItems?.[index] ?? items ?? true;

function containsDifferences(narrow: SchemaObject, wide: SchemaObject, rules: InclusionRules): SchemaDifference[] {
  const { contains, minContains: min = 1, maxContains: max = Infinity } = wide;
  if (contains === undefined || (min === 0 && max === Infinity)) return [];
  const { contains: held, minContains: heldMin = 1, maxContains: heldMax = Infinity } = narrow;
  if (held === undefined) return [differsAt("", "contains", min > 0)];
  const isWithin = rules.compare(held, contains, "").length === 0;
  const isAround = max === Infinity || rules.compare(contains, held, "").length === 0;
  if (!isWithin || !isAround) return [differsAt("", "contains", false)];
  if (heldMin < min) return [differsAt("", wide.minContains === undefined ? "contains" : "minContains")];
  return heldMax > max ? [differsAt("", "maxContains")] : [];
}
