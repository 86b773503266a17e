/**
 * The portable envelope `{ "event", "payload", "meta" }` on its way out; draft.ts reads it. It has what programs of any
 * language share, and nothing of the hub's own: neither key, place nor extensions.
 */
import { members } from "../../core/json-text.ts";

export const ENVELOPE_TYPE = "application/vnd.tidings.envelope+json";

/** `line`: the event as a log keeps it. Its payload stays the text that it is; bytes are base64. */
export function formatEnvelope(line: string): string {
  const raws = new Map(members(line).map(({ name, raw }) => [name, raw]));
  const payload = PAYLOADS.flatMap(([name, envelopeName]) =>
    raws.has(name) ? [`"${envelopeName}":${raws.get(name)!}`] : [],
  );
  const meta = `{"event_id":${raws.get("id")!},"timestamp":${raws.get("time")!},"source":${raws.get("source")!}}`;
  return `{${[`"event":${raws.get("type")!}`, ...payload, `"meta":${meta}`].join(",")}}`;
}

const PAYLOADS = [
  ["data", "payload"],
  ["data_base64", "payload_base64"],
] as const;
