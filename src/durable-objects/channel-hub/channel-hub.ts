/**
 * Where sockets end: one hub of an app and protocol, holding hibernating connections that follow many topics. The door
 * only: who may come in and who has to go stands in admission.ts, subscribing in subscribe.ts, live events in
 * deliver.ts, catching up in replay.ts. Everything it must know after an eviction is in rows and attachments.
 */
import { DurableObject } from "cloudflare:workers";
import { unreachable } from "../../core/assert.ts";
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { parseObjectName } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Principal } from "../../core/principal.ts";
import type { Revocation } from "../../core/revocation.ts";
import type { Env } from "../../env.ts";
import type { ChannelHubRpc, LogPush, PushAnswer, TopicLife } from "../rpc.ts";
import { boundBySecret, endExpired, hasEnded, refusalResponse, refuseUpgrade, revoke } from "./admission.ts";
import type { Connection } from "./connection.ts";
import { acceptPush, forgetLife } from "./deliver.ts";
import { DIALECTS } from "./dialects.ts";
import { HubAlarm } from "./hub-alarm.ts";
import { HubState } from "./hub-state.ts";
import { PastRevocations } from "./past-revocations.ts";
import { publish } from "./publish.ts";
import { formatEnd, refresh } from "./refresh.ts";
import { closeStalled, Replays } from "./replay.ts";
import { signIn } from "./sign-in.ts";
import { admitAndSubscribe } from "./signed-subscribe.ts";
import { totalOf } from "./topic-channel.ts";

export class ChannelHub extends DurableObject<Env> implements ChannelHubRpc {
  readonly #hub: HubState;
  readonly #alarm: HubAlarm;
  readonly #replays: Replays;
  readonly #past: PastRevocations;
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
    const { ping, pong } = this.#hub.dialect;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(ping, pong));
    this.#replays.startAll();
  }

  override async fetch(request: Request): Promise<Response> {
    const shown = JSON.parse(decodeURIComponent(request.headers.get("tidings-principal")!)) as Principal;
    await this.#past.learnOnce();
    const principal = boundBySecret(this.#hub, shown);
    const refusal = refuseUpgrade(this.#hub, principal, Date.now());
    if (refusal !== null) return refusalResponse(refusal);
    const { 0: client, 1: server } = new WebSocketPair();
    const connection = this.#hub.connect(server, principal);
    this.#alarm.arrange();
    const expiresAt = formatEnd(principal);
    const ackWindow = LIMITS.ACK_WINDOW_FRAMES;
    connection.send(this.#hub.dialect.welcome({ connection: connection.id, expiresAt, ackWindow }));
    const subprotocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: subprotocol === null ? {} : { "sec-websocket-protocol": subprotocol },
    });
  }

  accept(push: LogPush): Promise<PushAnswer> {
    return acceptPush(this.#hub, this.#replays, this.#app, push);
  }

  async forget(life: TopicLife): Promise<void> {
    forgetLife(this.#hub, life);
  }

  async revoke(revocation: Revocation): Promise<void> {
    revoke(this.#hub, revocation, Date.now());
    this.#alarm.arrange();
  }

  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    const connection = this.#hub.connectionOf(socket);
    if (connection === undefined) return;
    if (!connection.takeFrame(Date.now())) return this.#hub.end(connection, connection.tooFast);
    if (typeof frame !== "string")
      return this.#refuse(connection, null, { code: "frame_invalid", detail: "Frames are text." });
    const messages = this.#hub.dialect.parse(frame);
    // What is refused is not kept.
    const refusal = await connection.inOrder(messages.ok ? frame.length : 0, async () => {
      if (!messages.ok) return this.#refuse(connection, null, messages.failure);
      for (const message of messages.value) await this.#receiveInTime(connection, message);
    });
    if (refusal !== null) this.#hub.end(connection, refusal);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    this.#drop(socket);
    try {
      // The runtime does not answer a close for hibernating sockets; without this the client hangs in CLOSING.
      socket.close(code === 1005 || code === 1006 ? 1000 : code, reason);
    } catch {
      // Closed from our side already.
    }
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#drop(socket);
  }

  /**
   * Goes on where an eviction interrupted, looks after stalled readers, and ends those whose credential has. Never
   * throws.
   */
  override async alarm(): Promise<void> {
    this.#alarm.wentOff();
    endExpired(this.#hub, Date.now());
    closeStalled(this.#hub, Date.now());
    this.#replays.startAll();
    if (this.#hub.someBehind) this.#alarm.goOnLater(Date.now()); // Even while replays run: they may fail.
    this.#alarm.arrange();
  }

  /** A message may have waited for those before it, and its sender's credential may have ended or changed with them. */
  async #receiveInTime(connection: Connection, message: ClientMessage): Promise<void> {
    if (!this.#hub.connections.has(connection.id)) return;
    if (hasEnded(connection.principal, Date.now())) return this.#hub.end(connection, { code: "credential_expired" });
    try {
      return await this.#receive(connection, message);
    } catch (error) {
      // The store or a log cannot be reached. Each message has its own answer, and those behind it their try.
      console.warn(JSON.stringify({ stage: "hub.message_failed", op: message.op, error: String(error) }));
      return this.#refuse(connection, message, { code: "hub_overloaded", retryAfterSeconds: 1 });
    }
  }

  async #receive(connection: Connection, message: ClientMessage): Promise<void> {
    switch (message.op) {
      case "subscribe": {
        const failure = await admitAndSubscribe(this.#hub, this.#replays, this.#alarm, connection, message);
        return failure === null ? undefined : this.#refuse(connection, message, failure);
      }
      case "unsubscribe":
        this.#hub.unfollow(connection, message.topic);
        return connection.send(this.#hub.dialect.unsubscribed(message.ref, message.topic));
      case "publish": {
        const failure = await publish(this.#hub, connection, message);
        return failure === null ? undefined : this.#refuse(connection, message, failure);
      }
      case "ack":
        connection.acknowledge(message.topic, totalOf([...message.cursor.offsets.values()]));
        return this.#replays.startOf(connection.id);
      case "refresh": {
        const failure = await refresh(this.#hub, this.#alarm, connection, message);
        return failure === null ? undefined : this.#refuse(connection, message, failure);
      }
      case "sign_in": {
        const failure = await signIn(this.#hub, this.#alarm, connection, message);
        return failure === null ? undefined : this.#refuse(connection, message, failure);
      }
      case "pong":
        connection.acknowledgeProbe();
        return this.#replays.startOf(connection.id);
      case "ping":
        return connection.send(this.#hub.dialect.pong);
      case "presence":
        return this.#refuse(connection, message, { code: "frame_invalid", detail: "Presence is not offered yet." });
      case "refused":
        return this.#refuse(connection, message, message.failure);
      default:
        return unreachable(message);
    }
  }

  #refuse(connection: Connection, message: ClientMessage | null, failure: Failure): void {
    if (failure.code === "frame_too_large") this.#hub.end(connection, failure);
    else connection.send(this.#hub.dialect.error(failure, message));
  }

  #drop(socket: WebSocket): void {
    const connection = this.#hub.connectionOf(socket);
    if (connection !== undefined) this.#hub.disconnect(connection);
  }
}
