/** `POST /v1/users/{id}/events`: `{ "type", "data"? }`, whose data stay the text that they are. */
import { DraftBuilder, quoteName } from "../../core/draft-builder.ts";
import { escapePointer } from "../../core/json-pointer.ts";
import { isObjectText, members, minify, parseJson, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";

/** The event as JSON text on one line. It is as large and of such a type as an event of a topic may be. */
export function parseUserEvent(text: string): Result<string> {
  const parsed = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
  if (!parsed.ok) return parsed;
  if (!isObjectText(text.trim())) return fail("event_invalid", "An event is an object.");
  const builder = new DraftBuilder();
  let data: string | null = null;
  const seen = new Set<string>();
  for (const { name, raw } of members(text.trim())) {
    const pointer = `/${escapePointer(name)}`;
    const type = name === "type" ? stringOf(raw) : null;
    if (seen.has(name)) builder.refuse(pointer, `${quoteName(name)} stands here twice.`);
    else if (name === "data") builder.data((data = minify(raw)));
    else if (type !== null) builder.attribute(name, type, pointer);
    else if (name === "type") builder.refuseAttribute(name, pointer, "This is a string.");
    else builder.refuse(pointer, `${quoteName(name)} is not a member of an event to a user.`);
    seen.add(name);
  }
  const draft = builder.finish("", ["type"], { source: "/", traceparent: null });
  if (!draft.ok) return draft;
  return ok(`{"type":${JSON.stringify(draft.value.type)}${data === null ? "" : `,"data":${data}`}}`);
}
