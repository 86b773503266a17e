/** What the attributes of a CloudEvent are to the hub. */
import type { DraftBuilder } from "../../core/draft-builder.ts";

/** The hub's name for each attribute that is not an extension kept as it came. */
export const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["id", "id"],
  ["source", "source"],
  ["type", "type"],
  ["time", "time"],
  ["subject", "subject"],
  ["dataschema", "dataschema"],
  ["datacontenttype", "datacontenttype"],
  ["partitionkey", "key"], // the extension "Partitioning"
]);

export const REQUIRED: readonly string[] = ["id", "source", "type"];

/** One attribute in its form as a string. */
export function readAttribute(builder: DraftBuilder, name: string, value: string, pointer: string): void {
  const known = ATTRIBUTES.get(name);
  if (known !== undefined) builder.attribute(known, value, pointer);
  else if (name !== "specversion") builder.extension(name, value, pointer);
  else if (value !== "1.0") builder.refuse(pointer, "The hub reads CloudEvents of specversion 1.0.");
}
