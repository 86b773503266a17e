/**
 * A copy of a channel's members as its observers were told them. It moves on by the room's changes or by a whole
 * snapshot, and says what observers must hear for it: added and removed alternate, and versions only grow.
 */
import { assert } from "./assert.ts";
import type { Member, MemberChange } from "./member.ts";

/** From the room, for one that has everything up to `after`, or nothing yet. */
export type PresenceNews =
  | {
      readonly kind: "changes";
      readonly after: number;
      readonly version: number;
      readonly changes: readonly MemberChange[];
    }
  | { readonly kind: "snapshot"; readonly version: number; readonly members: readonly Member[] };

export interface MemberView {
  readonly version: number;
  /** Data by id. */
  readonly members: ReadonlyMap<string, string | null>;
}

/** Null: it does not continue what the view has, and a snapshot must come. A view that has it all hears nothing. */
export function changesFor(view: MemberView | null, news: PresenceNews): readonly MemberChange[] | null {
  if (news.kind === "snapshot") return view === null ? [] : changesTo(view, news.version, news.members);
  if (view === null || news.after > view.version) return null;
  return news.changes.filter(({ version }) => version > view.version);
}

/** What became of the view, whose changes were passed over in between. */
function changesTo(view: MemberView, version: number, members: readonly Member[]): MemberChange[] {
  if (version <= view.version) return [];
  const there = new Map(members.map((member) => [member.id, member]));
  const removed = [...view.members]
    .filter(([id]) => !there.has(id))
    .map(([id, data]) => ({ kind: "removed" as const, member: { id, data } }));
  const others = members
    .filter(({ id, data }) => !view.members.has(id) || view.members.get(id) !== data)
    .map((member) => ({ kind: view.members.has(member.id) ? ("updated" as const) : ("added" as const), member }));
  const changes = [...removed, ...others];
  // Each stands for one change of the room's at least, so there are versions enough for them.
  assert(changes.length <= version - view.version, "a room counts each change");
  const first = version - changes.length + 1;
  return changes.map((change, index) => ({ ...change, version: first + index }));
}
