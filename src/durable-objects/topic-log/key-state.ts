/** One key as a command sees it: all of one moment, and whether the command has been here before. */
import type { KeyState, KeyStateAsk } from "../../core/key-state.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { LogLife } from "../rpc.ts";
import type { LogState } from "./log-state.ts";
import { readPage } from "./read.ts";

/** Failures: `idempotency_key_reused`, `index_required`. */
export function readKeyState(log: LogState, life: LogLife, ask: KeyStateAsk): Result<KeyState> {
  const { key, request } = ask;
  const known = log.identities.request(request.key);
  if (known !== null && known.fingerprint !== request.fingerprint) return fail("idempotency_key_reused");
  if (known !== null)
    return ok({ kind: "appended", events: known.events.map((event) => ({ ...event, duplicate: true })) });
  if (key === null) return ok(OF_NO_KEY);
  const snapshot = ask.snapshotOf === null ? null : log.snapshots.find(key, ask.snapshotOf);
  const after = snapshot?.offset ?? ask.after;
  const page = readPage(log, {
    life,
    start: { kind: "after", epoch: null, offset: after },
    until: null,
    eventsMax: LIMITS.PAGE_EVENTS_MAX,
    bytesMax: LIMITS.PAGE_BYTES_MAX,
    types: null,
    keys: null,
    keyStream: key,
    keepsExpired: true, // A state is folded from all that has happened.
  });
  if (!page.ok) return page;
  const { offsets, body, head } = page.value;
  return ok({
    kind: "state",
    snapshot,
    version: page.value.keyVersion!,
    body,
    count: offsets.length,
    through: offsets.at(-1) ?? after,
    isLast: page.value.through >= head,
  });
}

const OF_NO_KEY: KeyState = {
  kind: "state",
  snapshot: null,
  version: 0,
  body: "",
  count: 0,
  through: 0,
  isLast: true,
};
