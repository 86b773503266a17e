/** In which of its three forms a CloudEvent comes over HTTP (HTTP protocol binding 1.0, §3). */
import { fail, ok, type Result } from "../../core/result.ts";

export type CloudEventMode = "structured" | "batch" | "binary" | "none";

const FORMATTED = /^application\/cloudevents(-batch)?(?![a-z-])(\+[a-z0-9.-]+)?/;

/** `none`: it is not a CloudEvent. The hub reads JSON in UTF-8; another event format is refused, not guessed. */
export function cloudEventMode(contentType: string | null, hasCeHeaders: boolean): Result<CloudEventMode> {
  const mediaType = (contentType ?? "").trim().toLowerCase();
  const match = FORMATTED.exec(mediaType);
  if (match === null) return ok(hasCeHeaders ? "binary" : "none");
  if (match[2] !== "+json") return fail("content_type_unsupported", "The hub reads CloudEvents in JSON.");
  const charset = /;\s*charset="?([^";\s]*)/.exec(mediaType)?.[1] ?? "utf-8";
  if (charset !== "utf-8" && charset !== "utf8") return fail("content_type_unsupported", "JSON comes in UTF-8.");
  return ok(match[1] === undefined ? "structured" : "batch");
}
