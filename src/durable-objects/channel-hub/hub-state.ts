/** A hub as its parts share it: connections, channels, followers. All of it can be rebuilt from rows and sockets. */
import { countedSql } from "../counted-sql.ts";
import { applyMigrations } from "../object-migrations.ts";
import type { FollowedTopic, WorkerGateRpc } from "../rpc.ts";
import { packPrincipal, unpackPrincipal, type Attachment } from "./attachment.ts";
import { Connection, type Backlog, type SentCounters } from "./connection.ts";
import type { Dialect } from "./dialect.ts";
import { FollowStore } from "./follow-store.ts";
import { HUB_MIGRATIONS } from "./hub-migrations.ts";
import { MemberViews } from "./member-views.ts";
import { HubOccupancy } from "./occupancy.ts";
import { Places } from "./places.ts";
import { RevocationStore } from "./revocation-store.ts";
import { SeatStore } from "./seat-store.ts";
import { Seats } from "./seats.ts";
import { Follower, TopicChannel } from "./topic-channel.ts";
import { WatchlistStore } from "./watchlist-store.ts";
import { Watchlists } from "./watchlists.ts";
import { hubPlaceOf } from "../../core/keys.ts";
import { ERRORS, type Failure } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Principal } from "../../core/principal.ts";
import { graceAfterClose } from "../../core/silence.ts";
import { isUserRoom, USER_ROOM_EPOCH } from "../../core/user-room.ts";
import type { Env } from "../../env.ts";
import { counter } from "../../observability/meter.ts";
import type { FilterPattern } from "../../core/filter-pattern.ts";

export class HubState {
  readonly ctx: DurableObjectState;
  readonly env: Env;
  /** Counting rows. */
  readonly sql: SqlStorage;
  readonly dialect: Dialect;
  readonly store: FollowStore;
  readonly revocations: RevocationStore;
  readonly seatStore: SeatStore;
  readonly seats: Seats;
  readonly views: MemberViews;
  readonly watchlists: Watchlists;
  readonly places: Places;
  readonly occupancy: HubOccupancy;
  /** By id. */
  readonly connections = new Map<string, Connection>();
  /** Of all connections, those that have ended included while their frames are worked off. */
  readonly waiting: Backlog = { frames: 0, bytes: 0 };
  /** By topic. */
  readonly channels = new Map<string, TopicChannel>();
  readonly #sent: SentCounters;

  constructor(ctx: DurableObjectState, env: Env, dialect: Dialect) {
    this.ctx = ctx;
    this.env = env;
    this.dialect = dialect;
    applyMigrations(ctx.storage, HUB_MIGRATIONS);
    const { app, protocol } = hubPlaceOf(ctx.id.name);
    this.sql = countedSql(ctx.storage.sql, app, "hub");
    this.#sent = {
      frames: counter("tidings_frames_sent_total", { app, protocol }),
      bytes: counter("tidings_frames_sent_bytes_total", { app, protocol }),
    };
    this.store = new FollowStore(this.sql);
    this.revocations = new RevocationStore(this.sql);
    this.places = new Places(env, ctx.id.name!, this.connections);
    this.occupancy = new HubOccupancy(this);
    this.#restoreConnections();
    for (const followed of this.store.topics()) {
      this.channels.set(followed.topic, new TopicChannel(followed, this.store.positions(followed.topic)));
    }
    this.#restoreFollowers();
    this.seatStore = new SeatStore(this.sql);
    const isLive = (connection: string): boolean => this.connections.has(connection);
    this.seats = new Seats(this.seatStore, isLive);
    this.views = new MemberViews(this.seatStore);
    this.watchlists = new Watchlists(new WatchlistStore(this.sql), isLive);
  }

  /** The Worker that exports this object, for what objects do not do themselves. */
  get gate(): WorkerGateRpc {
    return (this.ctx as unknown as { exports: { WorkerGate: WorkerGateRpc } }).exports.WorkerGate;
  }

  /** A socket that was ended has nothing attached: its client has not answered the close yet. */
  #restoreConnections(): void {
    for (const socket of this.ctx.getWebSockets()) {
      const attachment = socket.deserializeAttachment() as Attachment | null;
      if (attachment === null) continue;
      const connection = new Connection(
        socket,
        this.#idOf(socket),
        unpackPrincipal(attachment),
        this.waiting,
        this.#windowProbe,
        this.#sent,
      );
      connection.heardAt = attachment.heardAt ?? 0;
      this.connections.set(connection.id, connection);
    }
  }

  /** After a crash most close handlers never ran: a follow whose socket is not there is over. */
  #restoreFollowers(): void {
    for (const row of this.store.follows()) {
      const connection = this.connections.get(row.connection);
      const channel = this.channels.get(row.topic);
      if (connection === undefined || channel === undefined) {
        this.store.removeFollow(row.connection, row.topic);
        continue;
      }
      channel.followers.set(
        connection.id,
        new Follower(connection, row.filter, row.behind === null ? null : [...row.behind]),
      );
    }
  }

  /** Takes the server's half of a new socket, which sleeps with the hub and wakes it. */
  connect(socket: WebSocket, principal: Principal): Connection {
    const connection = new Connection(
      socket,
      this.dialect.mintConnectionId(),
      principal,
      this.waiting,
      this.#windowProbe,
      this.#sent,
    );
    this.ctx.acceptWebSocket(socket, [connection.id]);
    this.authorize(connection, principal);
    this.connections.set(connection.id, connection);
    return connection;
  }

  /** From now on the socket is this principal's. */
  authorize(connection: Connection, principal: Principal): void {
    connection.principal = principal;
    this.noteHeard(connection);
  }

  /** What an eviction must not take: who the socket's is, and when it was heard of last. */
  noteHeard(connection: Connection): void {
    connection.heardNotedAt = connection.heardAt;
    connection.socket.serializeAttachment({
      ...packPrincipal(connection.principal),
      heardAt: connection.heardAt,
    } satisfies Attachment);
  }

  /** With which connections ask how far their readers are; null: these say it themselves. */
  get #windowProbe(): string | null {
    return this.dialect.acknowledges ? null : this.dialect.probe;
  }

  connectionOf(socket: WebSocket): Connection | undefined {
    return this.connections.get(this.#idOf(socket));
  }

  #idOf(socket: WebSocket): string {
    return this.ctx.getTags(socket)[0] ?? "";
  }

  addChannel(followed: FollowedTopic): TopicChannel {
    const channel = new TopicChannel(followed, []);
    this.channels.set(followed.topic, channel);
    this.store.putTopic(followed);
    return channel;
  }

  removeChannel(channel: TopicChannel): void {
    this.channels.delete(channel.name);
    this.store.removeTopic(channel.name);
    for (const id of channel.followers.keys()) this.store.removeFollow(id, channel.name);
    this.seats.drop(channel.name);
    this.views.drop(channel.name);
    this.occupancy.changed(channel.name);
  }

  /** The life in which members of that room are counted; undefined: nobody here follows the channel any more. */
  roomLifeOf(room: string): { readonly epoch: number } | undefined {
    return isUserRoom(room) ? USERS : this.channels.get(room);
  }

  moveTo(channel: TopicChannel, partition: number, offset: number): void {
    channel.positions[partition] = offset;
    this.store.putPosition(channel.name, partition, offset);
  }

  follow(
    channel: TopicChannel,
    connection: Connection,
    pattern: FilterPattern | null,
    behind: number[] | null,
  ): Follower {
    const follower = new Follower(connection, pattern, behind);
    channel.followers.set(connection.id, follower);
    this.recordFollower(channel, follower);
    this.occupancy.changed(channel.name);
    return follower;
  }

  recordFollower(channel: TopicChannel, { connection, pattern, behind }: Follower): void {
    this.store.putFollow({ connection: connection.id, topic: channel.name, filter: pattern, behind });
  }

  /** False when the connection did not follow the topic. */
  unfollow(connection: Connection, topic: string): boolean {
    const followed = this.channels.get(topic)?.followers.delete(connection.id) ?? false;
    if (followed) this.store.removeFollow(connection.id, topic);
    if (!isUserRoom(topic)) this.seats.leave(topic, connection.id, 0); // Who has signed in stays so.
    if (followed) this.occupancy.changed(topic);
    return followed;
  }

  /** What may be lost. False: the client has not been heard of since too much was sent to it. */
  sendUnacknowledged(connection: Connection, text: string): boolean {
    const pingedAt = this.ctx.getWebSocketAutoResponseTimestamp(connection.socket)?.getTime() ?? 0;
    return connection.sendUnacknowledged(text, pingedAt);
  }

  /** Says why, closes, and forgets; what the client still sends is not heard. */
  end(connection: Connection, failure: Failure, reason: string = failure.code): void {
    connection.send(this.dialect.error(failure, null));
    connection.socket.serializeAttachment(null);
    connection.socket.close(this.dialect.closeCode(failure), reason);
    this.disconnect(connection, ERRORS[failure.code].close);
  }

  get someBehind(): boolean {
    return [...this.channels.values()].some((channel) =>
      [...channel.followers.values()].some(({ behind }) => behind !== null),
    );
  }

  /** `code`: how it closed (RFC 6455, §7.4). */
  disconnect(connection: Connection, code: number): void {
    this.connections.delete(connection.id);
    const left = this.channelsOf(connection);
    for (const channel of left) channel.followers.delete(connection.id);
    this.store.removeConnection(connection.id);
    const grace = { clean: LIMITS.PRESENCE_GRACE_MS, reset: LIMITS.PRESENCE_RESET_GRACE_MS };
    this.seats.leaveAll(connection.id, graceAfterClose(code, grace));
    this.watchlists.remove(connection.id);
    for (const { name } of left) this.occupancy.changed(name);
  }

  channelsOf(connection: Connection): TopicChannel[] {
    return [...this.channels.values()].filter((channel) => channel.followers.has(connection.id));
  }
}

const USERS = { epoch: USER_ROOM_EPOCH };
