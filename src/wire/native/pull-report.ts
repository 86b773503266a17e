/** `POST /v1/subscriptions/{name}/ack`: what a pull worker says of the deliveries that it holds. */
import { elements, isListText, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { LeaseClaim, LeaseReport, LeaseVerdicts } from "../../core/pull.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition, type Members } from "./definition-reader.ts";

const ID_CHARS_MAX = 200;
const LEASE_CHARS_MAX = 100;

/** Ids and leases are only strings here: what they do not name is fenced, not refused. */
export function parsePullReport(text: string): Result<LeaseReport> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["acks", "nacks", "extends"]);
  if (given.size === 0) reader.refuse("", "Say acks, nacks or extends: lists of what became of deliveries.");
  const acks = readItems(reader, given, "acks", [], (item, at) => readClaim(reader, item, at));
  const nacks = readItems(reader, given, "nacks", ["delay", "reason"], (item, at) => ({
    ...readClaim(reader, item, at),
    delayMs: reader.durationMs(item.get("delay"), `${at}/delay`, { min: 0, max: LIMITS.RETRY_DELAY_MS_MAX }),
    reason: reader.text(item.get("reason"), `${at}/reason`, LIMITS.NACK_REASON_CHARS_MAX) ?? "",
  }));
  const longer = readItems(reader, given, "extends", ["by"], (item, at) => ({
    ...readClaim(reader, item, at),
    byMs: readBy(reader, item.get("by"), `${at}/by`),
  }));
  const count = acks.length + nacks.length + longer.length;
  if (count > LIMITS.ACK_ITEMS_MAX)
    reader.refuse("", `A request speaks of at most ${LIMITS.ACK_ITEMS_MAX} deliveries.`);
  return reader.finish("parameter_invalid", () => ({ acks, nacks, extends: longer }));
}

/** A list that may be empty, of objects with an id, a lease and `more`. */
function readItems<Item>(
  reader: DefinitionReader,
  given: Members,
  name: string,
  more: readonly string[],
  read: (item: Members, pointer: string) => Item,
): readonly Item[] {
  const raw = given.get(name);
  if (raw === undefined) return [];
  if (isListText(raw) && elements(raw).length === 0) return [];
  return reader
    .list(raw, `/${name}`, LIMITS.ACK_ITEMS_MAX)
    .map((item, index) =>
      read(reader.object(item, `/${name}/${index}`, ["id", "lease", ...more]), `/${name}/${index}`),
    );
}

function readClaim(reader: DefinitionReader, item: Members, at: string): LeaseClaim {
  const [id, lease] = [stringOf(item.get("id") ?? ""), stringOf(item.get("lease") ?? "")];
  if (id === null || id.length > ID_CHARS_MAX) reader.refuse(`${at}/id`, "This is the id of a delivery.");
  if (lease === null || lease.length > LEASE_CHARS_MAX)
    reader.refuse(`${at}/lease`, "This is the lease that came with the delivery.");
  return { id: id ?? "", lease: lease ?? "" };
}

function readBy(reader: DefinitionReader, raw: string | undefined, pointer: string): number {
  if (raw === undefined) reader.refuse(pointer, "Say by how much the lease is to be longer.");
  const range = { min: LIMITS.PULL_LEASE_MS_MIN, max: LIMITS.PULL_LEASE_MS_MAX };
  return reader.durationMs(raw, pointer, range) ?? 0;
}

/** What became of each word, in its place. */
export function formatVerdicts(report: LeaseReport, verdicts: LeaseVerdicts): string {
  return JSON.stringify({
    acks: outcomesOf(report.acks, "acked", verdicts.acks),
    nacks: outcomesOf(report.nacks, "nacked", verdicts.nacks),
    extends: report.extends.map(({ id }, index) => {
      const until = verdicts.extends[index] ?? null;
      if (until === null) return { id, outcome: "fenced", leaseUntil: null };
      return { id, outcome: "extended", leaseUntil: new Date(until).toISOString() };
    }),
  });
}

const outcomesOf = (claims: readonly LeaseClaim[], done: string, held: readonly boolean[]) =>
  claims.map(({ id }, index) => ({ id, outcome: held[index] === true ? done : "fenced" }));
