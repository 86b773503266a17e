/**
 * Where sockets end: one hub of an app and protocol, holding hibernating connections that follow many topics. The door
 * only: who may come in and who has to go stands in admission.ts, what clients ask in receive.ts, live events in
 * deliver.ts, catching up in replay.ts. Everything it must know after an eviction is in rows and attachments.
 */
import { DurableObject } from "cloudflare:workers";
import type { ChannelCount } from "../../core/occupancy.ts";
import type { Failure } from "../../core/errors.ts";
import { parseObjectName } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Principal } from "../../core/principal.ts";
import type { HeldPlaces } from "../../core/socket-places.ts";
import type { Revocation } from "../../core/revocation.ts";
import type { Env } from "../../env.ts";
import { flushCountsWhenDue } from "../../observability/flush-counts.ts";
import type { LogPush, PushAnswer, TopicLife } from "../rpc.ts";
import type { ChannelHubRpc, HubOverview } from "../rpc/channel-hub.ts";
import type { MembersAnswer, MembersPush } from "../rpc/presence-room.ts";
import { boundBySecret, endExpired, refusalResponse, refuseUpgrade, revoke } from "./admission.ts";
import { acceptPush, forgetLife } from "./deliver.ts";
import { DIALECTS } from "./dialects.ts";
import { HubAlarm } from "./hub-alarm.ts";
import { HubState } from "./hub-state.ts";
import { PastRevocations } from "./past-revocations.ts";
import { Presence } from "./presence.ts";
import { receiveInTime, refuse, type Receiver } from "./receive.ts";
import { endShown } from "./refresh.ts";
import { closeStalled, Replays } from "./replay.ts";
import { SignedInUsers } from "./signed-in-users.ts";
import { countUser, endUser, overviewOf, sendToUser } from "./user-connections.ts";

export class ChannelHub extends DurableObject<Env> implements ChannelHubRpc {
  readonly #hub: HubState;
  readonly #alarm: HubAlarm;
  readonly #replays: Replays;
  readonly #receiver: Receiver;
  readonly #past: PastRevocations;
  readonly #presence: Presence;
  readonly #users: SignedInUsers;
  readonly #app: string;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const name = parseObjectName(ctx.id.name);
    if (name.kind !== "hub") throw new Error(`a channel hub cannot be named ${ctx.id.name}`);
    this.#app = name.app;
    this.#hub = new HubState(ctx, env, DIALECTS[name.protocol]);
    this.#alarm = new HubAlarm(this.#hub);
    this.#replays = new Replays(this.#hub, this.#alarm);
    this.#past = new PastRevocations(this.#hub, name.app);
    this.#presence = new Presence(this.#hub, this.#alarm, name.app);
    this.#users = new SignedInUsers(this.#hub, this.#alarm, this.#presence);
    const [hub, alarm, replays, presence, users] = [this.#hub, this.#alarm, this.#replays, this.#presence, this.#users];
    this.#receiver = { hub, alarm, replays, presence, users };
    const { ping, pong } = this.#hub.dialect;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(ping, pong));
    this.#replays.startAll();
    this.#alarm.include(() => this.#hub.occupancy.dueAt);
    this.#hub.occupancy.begin(() => this.#alarm.arrange());
  }

  override async fetch(request: Request): Promise<Response> {
    const shown = JSON.parse(decodeURIComponent(request.headers.get("tidings-principal")!)) as Principal;
    await this.#past.learnOnce();
    const principal = boundBySecret(this.#hub, shown);
    const refusal = refuseUpgrade(this.#hub, principal, Date.now());
    if (refusal !== null) return refusalResponse(refusal);
    const entered = await this.#hub.places.take(principal, null, () => this.#enter(request, principal));
    return entered.ok ? entered.value : refusalResponse({ kind: "refused", failure: entered.failure });
  }

  /** Looks again: the hub may have filled, and the principal been taken back, while there was no place for it. */
  #enter(request: Request, principal: Principal): Response {
    const refusal = refuseUpgrade(this.#hub, principal, Date.now());
    if (refusal !== null) return refusalResponse(refusal);
    const { 0: client, 1: server } = new WebSocketPair();
    const connection = this.#hub.connect(server, principal);
    this.#alarm.arrange();
    const end = endShown(principal, Date.now());
    const ackWindow = LIMITS.ACK_WINDOW_FRAMES;
    connection.send(this.#hub.dialect.welcome({ connection: connection.id, end, ackWindow }));
    const subprotocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: subprotocol === null ? {} : { "sec-websocket-protocol": subprotocol },
    });
  }

  accept(push: LogPush): Promise<PushAnswer> {
    this.ctx.waitUntil(flushCountsWhenDue(this.env, Date.now()));
    return acceptPush(this.#hub, this.#replays, this.#app, push);
  }

  async forget(life: TopicLife): Promise<void> {
    forgetLife(this.#hub, life);
  }

  async channels(prefix: string, after: string, limit: number): Promise<ChannelCount[]> {
    return this.#hub.occupancy.list(prefix, after, limit);
  }

  async countFollowers(channel: string): Promise<number> {
    return this.#hub.channels.get(channel)?.followers.size ?? 0;
  }

  async revoke(revocation: Revocation): Promise<void> {
    revoke(this.#hub, revocation, Date.now());
    this.#alarm.arrange();
  }

  async holdPlaces(given: readonly HeldPlaces[]): Promise<void> {
    this.#hub.places.hold(given);
  }

  async keepPlaces(subject: string): Promise<number> {
    return this.#hub.places.keep(subject);
  }

  async sendToUser(user: string, line: string): Promise<number> {
    return sendToUser(this.#hub, user, line);
  }

  async endUser(user: string, failure: Failure): Promise<number> {
    return endUser(this.#hub, user, failure);
  }

  async countUser(user: string): Promise<number> {
    return countUser(this.#hub, user);
  }

  async overview(): Promise<HubOverview> {
    return overviewOf(this.#hub);
  }

  acceptMembers(push: MembersPush): Promise<MembersAnswer> {
    return this.#presence.accept(push);
  }

  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    const connection = this.#hub.connectionOf(socket);
    if (connection === undefined) return;
    this.#presence.heard(connection, Date.now());
    if (!connection.takeFrame(Date.now())) return this.#hub.end(connection, connection.tooFast);
    if (typeof frame !== "string")
      return refuse(this.#hub, connection, null, { code: "frame_invalid", detail: "Frames are text." });
    const messages = this.#hub.dialect.parse(frame);
    // What is refused is not kept.
    const refusal = await connection.inOrder(messages.ok ? frame.length : 0, async () => {
      if (!messages.ok) return refuse(this.#hub, connection, null, messages.failure);
      for (const message of messages.value) await receiveInTime(this.#receiver, connection, message);
    });
    if (refusal !== null) this.#hub.end(connection, refusal);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    this.#drop(socket, code);
    try {
      // The runtime does not answer a close for hibernating sockets; without this the client hangs in CLOSING.
      socket.close(code === 1005 || code === 1006 ? 1000 : code, reason);
    } catch {
      // Closed from our side already.
    }
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#drop(socket, 1_006);
  }

  /**
   * Goes on where an eviction interrupted, looks after stalled readers, and ends those whose credential has. Never
   * throws.
   */
  override async alarm(): Promise<void> {
    this.#alarm.wentOff();
    endExpired(this.#hub, Date.now());
    closeStalled(this.#hub, Date.now());
    this.#presence.wentOff(Date.now());
    this.#users.wentOff(Date.now());
    this.#hub.occupancy.look(Date.now());
    this.#replays.startAll();
    if (this.#hub.someBehind) this.#alarm.goOnLater(Date.now()); // Even while replays run: they may fail.
    this.#alarm.arrange();
  }

  #drop(socket: WebSocket, code: number): void {
    const connection = this.#hub.connectionOf(socket);
    if (connection !== undefined) this.#hub.disconnect(connection, code);
  }
}
