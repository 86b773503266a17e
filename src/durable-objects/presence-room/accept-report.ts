/** What a hub's report does to a room. */
import type { Failure } from "../../core/errors.ts";
import type { MemberChange } from "../../core/member.ts";
import type { SeatAnswer, SeatReport } from "../rpc/presence-room.ts";
import type { RoomState } from "./room-state.ts";
import type { Watchers } from "./watchers.ts";

export function acceptReport(room: RoomState, watchers: Watchers, report: SeatReport, now: number): SeatAnswer {
  if (report.epoch > room.epoch) watchers.clear();
  if (!room.begin(report.epoch)) return { kind: "over" };
  const seq = watchers.seqOf(report.hub);
  if (report.seq <= seq) return { kind: "late", seq };
  const refused: { connection: string; failure: Failure }[] = [];
  room.change(() => [...leave(room, report, now), ...enter(room, report, refused), ...compare(room, report)]);
  watchers.heard(report, now);
  return { kind: "accepted", news: room.newsAfter(report.known), refused };
}

function leave({ roster }: RoomState, { hub, left }: SeatReport, now: number): MemberChange[] {
  return left.flatMap(({ connection, graceMs }) => roster.leave(hub, connection, graceMs === 0 ? null : now + graceMs));
}

function enter(
  { roster }: RoomState,
  { hub, entered }: SeatReport,
  refused: { connection: string; failure: Failure }[],
): MemberChange[] {
  return entered.flatMap(({ connection, member }) => {
    const failure = roster.refuse(member);
    if (failure !== null) refused.push({ connection, failure });
    return failure === null ? roster.enter(hub, connection, member) : [];
  });
}

function compare({ roster }: RoomState, { hub, all }: SeatReport): MemberChange[] {
  if (all === null) return [];
  return roster.report(hub, new Map(all.map(({ connection, member }) => [connection, member])));
}
