/** What a log would say to the first publish of a topic that is not there yet, so that a refusal makes no topic. */
import type { EventDraft } from "./event.ts";
import { meetsVersion } from "./key-version.ts";
import { eventIdentity } from "./keys.ts";
import { fail, ok, type Result } from "./result.ts";

/** `fingerprints` by draft. Failures: `version_conflict`, `event_id_conflict`. */
export function checkFirstPublish(
  drafts: readonly EventDraft[],
  fingerprints: readonly (string | null)[],
  ifMatch: number | null,
): Result<null> {
  if (ifMatch !== null && ifMatch !== 0)
    return fail("version_conflict", "The partition's last offset is another.", { actual: 0 });
  const fingerprintsById = new Map<string, string | null>();
  const versionsByKey = new Map<string, number>();
  for (const [index, draft] of drafts.entries()) {
    const fingerprint = fingerprints[index] ?? null;
    const identity = draft.id === null ? null : eventIdentity(draft.source, draft.id);
    if (identity !== null && fingerprintsById.has(identity)) {
      if (fingerprintsById.get(identity) === fingerprint) continue;
      return fail("event_id_conflict", "The request brings two events of that source and id.");
    }
    if (identity !== null) fingerprintsById.set(identity, fingerprint);
    if (draft.key === null || draft.deliverAt !== undefined) continue;
    const version = versionsByKey.get(draft.key) ?? 0;
    if (!meetsVersion(draft.expectedKeyVersion, version))
      return fail("version_conflict", "The key's version is another.", { actual: version });
    versionsByKey.set(draft.key, version + 1);
  }
  return ok(null);
}
