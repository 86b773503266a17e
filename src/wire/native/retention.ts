/** What is kept, as definitions of topics and policies say it. */
import { formatDuration } from "../../core/duration.ts";
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Retention } from "../../core/retention.ts";
import { NO_HISTORY } from "../../core/topic-policy.ts";
import type { DefinitionReader } from "./definition-reader.ts";

const MEMBERS = ["maxAge", "maxEvents", "maxBytes", "clientEvents"];
const COUNT = { min: 1, max: Number.MAX_SAFE_INTEGER };
const AGE_MS = { min: LIMITS.RETENTION_AGE_MS_MIN, max: Number.MAX_SAFE_INTEGER };

/** An object of bounds, or `"none"`. */
export function readRetention(reader: DefinitionReader, raw: string): Retention {
  if (stringOf(raw) === "none") return NO_HISTORY;
  const given = reader.object(raw, "/retention", MEMBERS);
  const maxAgeMs = reader.durationMs(given.get("maxAge"), "/retention/maxAge", AGE_MS);
  const maxEvents = reader.integer(given.get("maxEvents"), "/retention/maxEvents", COUNT);
  const maxBytes = reader.integer(given.get("maxBytes"), "/retention/maxBytes", COUNT);
  const clientEvents = readClientEvents(reader, given.get("clientEvents"));
  return {
    ...(maxAgeMs !== null && { maxAgeMs }),
    ...(maxEvents !== null && { maxEvents }),
    ...(maxBytes !== null && { maxBytes }),
    ...(clientEvents !== null && { clientEvents }),
  };
}

/** `true`, `"announced"`, or `false`, which is as if it were not there. */
function readClientEvents(reader: DefinitionReader, raw: string | undefined): true | "announced" | null {
  if (raw === undefined || raw === "false") return null;
  if (raw === "true") return true;
  if (stringOf(raw) === "announced") return "announced";
  reader.refuse("/retention/clientEvents", 'This is true, false or "announced".');
  return null;
}

export interface RetentionView {
  readonly maxAge?: string;
  readonly maxEvents?: number;
  readonly maxBytes?: number;
  readonly clientEvents?: true | "announced";
}

export function formatRetention({ maxAgeMs, ...others }: Retention): RetentionView {
  return { ...(maxAgeMs !== undefined && { maxAge: formatDuration(maxAgeMs) }), ...others };
}
