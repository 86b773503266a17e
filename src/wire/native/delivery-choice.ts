/** Which delivery is meant: `{ "id": "msg_…" }`. */
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export function parseDeliveryChoice(text: string): Result<string> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["id"]);
  if (!given.has("id")) reader.refuse("/id", "Name the delivery.");
  const id = reader.text(given.get("id"), "/id", LIMITS.DELIVERY_ID_CHARS_MAX);
  return reader.finish("parameter_invalid", () => id!);
}
