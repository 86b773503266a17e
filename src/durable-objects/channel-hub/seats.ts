/**
 * Who of the hub's connections is present in which channel, or only looks on there; and who is in its user's own room.
 * A seat is a row before the room is told of it, and stays one until the room knows that it was left: so nothing that
 * happens to the hub makes a ghost.
 */
import { LIMITS } from "../../core/limits.ts";
import type { Member } from "../../core/member.ts";
import type { SeatRow, SeatStore } from "./seat-store.ts";

export class Seats {
  readonly #store: SeatStore;
  /** By topic and connection. Rows are replaced, never changed. */
  readonly #seats = new Map<string, Map<string, SeatRow>>();
  /** By connection. */
  readonly #topics = new Map<string, Set<string>>();
  /** Called when the topic's room has something to be told. */
  whenUntold: (topic: string) => void = () => {};

  /** After a crash most close handlers never ran: a member whose socket is not there has left. */
  constructor(store: SeatStore, isLive: (connection: string) => boolean) {
    this.#store = store;
    for (const row of store.all()) {
      this.#seatsOf(row.topic).set(row.connection, row);
      this.#topicsOf(row.connection).add(row.topic);
      if (!isLive(row.connection)) this.leave(row.topic, row.connection, LIMITS.PRESENCE_RESET_GRACE_MS);
    }
  }

  find(topic: string, connection: string): SeatRow | null {
    return this.#seats.get(topic)?.get(connection) ?? null;
  }

  /** `member` null: it only looks on; a member that it was leaves. */
  take(topic: string, connection: string, member: Member | null): void {
    const before = this.find(topic, connection);
    const sees = before?.sees ?? false;
    if (member !== null) this.#put({ topic, connection, member, told: false, sees, graceMs: null });
    else if (before === null || before.member === null)
      this.#put({ topic, connection, member, told: true, sees, graceMs: null });
    else this.#put({ ...before, graceMs: 0 });
    this.#sayIfUntold(topic, connection);
  }

  /** From now on the client hears what becomes of the members. */
  see(topic: string, connection: string): void {
    const seat = this.find(topic, connection);
    if (seat !== null && !seat.sees) this.#put({ ...seat, sees: true });
  }

  leave(topic: string, connection: string, graceMs: number): void {
    const seat = this.find(topic, connection);
    if (seat === null) return;
    if (seat.member === null) return this.#remove(seat);
    if (seat.graceMs !== null && !seat.sees) return; // It has left already.
    this.#put({ ...seat, sees: false, graceMs });
    this.#sayIfUntold(topic, connection);
  }

  leaveAll(connection: string, graceMs: number): void {
    for (const topic of this.#topics.get(connection) ?? []) this.leave(topic, connection, graceMs);
  }

  /** The room has what the row says, or does not let the member in. A row that was replaced since is told later. */
  settle(row: SeatRow, isRefused: boolean): void {
    if (this.find(row.topic, row.connection) !== row) return;
    if (row.graceMs === null && !isRefused) return this.#put({ ...row, told: true });
    if (row.sees) this.#put({ ...row, member: null, told: true, graceMs: null });
    else this.#remove(row);
  }

  /** The channel is no more. */
  drop(topic: string): void {
    for (const row of this.#seats.get(topic)?.values() ?? []) this.#remove(row);
  }

  has(topic: string): boolean {
    return (this.#seats.get(topic)?.size ?? 0) > 0;
  }

  /** What the room is still to be told: who came, who says something else, who left. */
  untold(topic: string): SeatRow[] {
    return this.#rowsOf(topic).filter(isUntold);
  }

  get untoldTopics(): string[] {
    return [...this.#seats.keys()].filter((topic) => this.#rowsOf(topic).some(isUntold));
  }

  /** Seats of those who are members and stay. */
  members(topic: string): SeatRow[] {
    return this.#rowsOf(topic).filter(({ member, graceMs }) => member !== null && graceMs === null);
  }

  get memberTopics(): string[] {
    return [...this.#seats.keys()].filter((topic) => this.members(topic).length > 0);
  }

  /** The rooms that the connection is a member's in. */
  roomsOf(connection: string): string[] {
    return [...(this.#topics.get(connection) ?? [])].filter((topic) => this.find(topic, connection)?.member !== null);
  }

  /** Who the connection is a member as, in whatever rooms. */
  membersOf(connection: string): Member[] {
    return this.roomsOf(connection).map((room) => this.find(room, connection)!.member!);
  }

  get memberConnections(): Set<string> {
    return new Set(this.memberTopics.flatMap((topic) => this.members(topic).map(({ connection }) => connection)));
  }

  /** Connections whose clients hear of the members. */
  viewers(topic: string): string[] {
    return this.#rowsOf(topic)
      .filter(({ sees }) => sees)
      .map(({ connection }) => connection);
  }

  #rowsOf(topic: string): SeatRow[] {
    return [...(this.#seats.get(topic)?.values() ?? [])];
  }

  #sayIfUntold(topic: string, connection: string): void {
    const seat = this.find(topic, connection);
    if (seat !== null && isUntold(seat)) this.whenUntold(topic);
  }

  #put(row: SeatRow): void {
    this.#seatsOf(row.topic).set(row.connection, row);
    this.#topicsOf(row.connection).add(row.topic);
    this.#store.put(row);
  }

  #remove({ topic, connection }: SeatRow): void {
    const [seats, topics] = [this.#seatsOf(topic), this.#topicsOf(connection)];
    seats.delete(connection);
    topics.delete(topic);
    if (seats.size === 0) this.#seats.delete(topic);
    if (topics.size === 0) this.#topics.delete(connection);
    this.#store.remove(topic, connection);
  }

  #seatsOf(topic: string): Map<string, SeatRow> {
    const seats = this.#seats.get(topic) ?? new Map<string, SeatRow>();
    this.#seats.set(topic, seats);
    return seats;
  }

  #topicsOf(connection: string): Set<string> {
    const topics = this.#topics.get(connection) ?? new Set<string>();
    this.#topics.set(connection, topics);
    return topics;
  }
}

const isUntold = ({ told, graceMs }: SeatRow): boolean => !told || graceMs !== null;
