/** `application/cloudevents+json`: one event as a JSON object (JSON event format 1.0, §3). */
import { DraftBuilder, quoteName, type DraftDefaults } from "../../core/draft-builder.ts";
import type { EventDraft } from "../../core/event.ts";
import { escapePointer } from "../../core/json-pointer.ts";
import { elementOf, parseJson, stringOf, type JsonElement } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, type Result } from "../../core/result.ts";
import { ATTRIBUTES, readAttribute, REQUIRED } from "./attributes.ts";

export function parseStructured(text: string, defaults: DraftDefaults): Result<EventDraft> {
  const parsed = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
  return parsed.ok ? readStructured(elementOf(parsed.value.tight), "", defaults) : parsed;
}

/** `event` has no whitespace between its tokens; `root` is the pointer to it in the request's body. */
export function readStructured(event: JsonElement, root: string, defaults: DraftDefaults): Result<EventDraft> {
  if (event.members === null) {
    const detail = "A CloudEvent is an object.";
    return fail("event_invalid", detail, { errors: [{ pointer: root, detail }] });
  }
  const builder = new DraftBuilder();
  const seen = new Set<string>();
  for (const { name, raw: value } of event.members) {
    const pointer = `${root}/${escapePointer(name)}`;
    if (seen.has(name)) builder.refuse(pointer, `${quoteName(name)} stands here twice.`);
    else readMember(builder, name, value, pointer);
    seen.add(name);
  }
  if (!seen.has("specversion")) builder.refuse(`${root}/specversion`, "A CloudEvent says its specversion.");
  return builder.finish(root, REQUIRED, defaults);
}

function readMember(builder: DraftBuilder, name: string, raw: string, pointer: string): void {
  if (name === "data") return builder.data(raw);
  if (raw === "null" && name !== "specversion") return; // An attribute that is null is absent (§2.2).
  const text = stringOf(raw);
  if (name === "data_base64") {
    if (text === null) builder.refuse(pointer, "This is a string in base64.");
    else builder.dataBase64(text, pointer);
  } else if (text !== null) readAttribute(builder, name, text, pointer);
  else if (name === "specversion") builder.refuse(pointer, "The specversion is the string 1.0.");
  else if (ATTRIBUTES.has(name)) builder.refuseAttribute(ATTRIBUTES.get(name)!, pointer, "This is a string.");
  else readExtension(builder, name, JSON.parse(raw), pointer);
}

function readExtension(builder: DraftBuilder, name: string, value: unknown, pointer: string): void {
  if (typeof value === "boolean" || typeof value === "number") builder.extension(name, value, pointer);
  else builder.refuse(pointer, "An extension is a string, a whole number or a boolean.");
}
