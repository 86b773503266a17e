/** How a connection begins to follow a topic: interest first, then the place to begin, then level with the channel. */
import type { ClientMessage } from "../../core/client-message.ts";
import { channelKindOf } from "../../core/channel-kind.ts";
import type { Failure } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { allows } from "../../core/principal.ts";
import type { Position } from "../../core/position.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { topicLog } from "../../stubs.ts";
import type { FollowedTopic, Gap, ReadStart } from "../rpc.ts";
import { isPastUser } from "./admission.ts";
import type { Connection } from "./connection.ts";
import { endChannel } from "./deliver.ts";
import type { HubState } from "./hub-state.ts";
import type { Presence } from "./presence.ts";
import { judgePresence, type PresenceAsk } from "./presence-ask.ts";
import type { Replays } from "./replay.ts";
import type { TopicChannel } from "./topic-channel.ts";

type SubscribeMessage = Extract<ClientMessage, { op: "subscribe" }>;

/**
 * Answers a failure to be told, or null when everything was said. Who follows already begins anew at the place named,
 * and goes on as before when that fails.
 */
export async function subscribe(
  hub: HubState,
  replays: Replays,
  presence: Presence,
  connection: Connection,
  message: SubscribeMessage,
  triesLeft = 2,
): Promise<Failure | null> {
  if (!allows(connection.principal, "subscribe", message.topic)) return { code: "scope_missing" };
  const asked = judgePresence(connection.principal, message);
  if (!asked.ok) return asked.failure;
  const others = hub.channelsOf(connection).filter(({ name }) => name !== message.topic);
  const quota = connection.principal.quotas.channelsPerSocket ?? LIMITS.CHANNELS_PER_SOCKET_MAX;
  const limit = Math.min(quota, LIMITS.CHANNELS_PER_SOCKET_MAX);
  if (others.length >= limit) return { code: "too_many_channels", limit, actual: others.length };
  const opened = await openChannel(hub, connection, message.topic);
  if (!opened.ok) return opened.failure;
  const channel = opened.value;
  const begun = await begin(hub, presence, connection, channel, message.from, asked.value).finally(() => {
    channel.starting -= 1;
  });

  // No await from here on: the channel cannot move between the place found and the follower standing there.
  const isHere = hub.channels.get(message.topic) === channel;
  const isOver = begun.ok ? !isHere : begun.failure.code === "topic_not_found";
  if (isOver && triesLeft > 0) {
    if (isHere) endChannel(hub, channel); // The farewell of that life was lost; the topic may have another by now.
    return subscribe(hub, replays, presence, connection, message, triesLeft - 1);
  }
  if (!begun.ok) return begun.failure;
  if (!isHere) return { code: "topic_not_found" };
  if (!hub.connections.has(connection.id)) return null; // It hung up meanwhile.
  const { offsets, gaps } = begun.value;
  const level = channel.isLevel(offsets);
  const follower = hub.follow(channel, connection, message.filter, level ? null : offsets);
  const cursor = channel.cursorAt(offsets);
  if (asked.value.kind === "none") hub.seats.leave(channel.name, connection.id, 0);
  const shown = asked.value.kind === "open" ? presence.show(connection, channel.name) : null;
  connection.send(hub.dialect.subscribed(message.ref, channel.name, cursor, shown));
  for (const gap of gaps) connection.send(hub.dialect.gap({ topic: channel.name, ...gap }));
  if (begun.value.missed) {
    connection.send(hub.dialect.cacheMiss(channel.name));
    hub.occupancy.missed(channel.name);
  }
  if (level) connection.send(hub.dialect.caughtUp(channel.name, cursor));
  else replays.start(channel, follower);
  return null;
}

/** Finds the place first: who cannot follow, or hung up meanwhile, does not become a member. */
async function begin(
  hub: HubState,
  presence: Presence,
  connection: Connection,
  channel: TopicChannel,
  from: Position,
  asked: PresenceAsk,
): Promise<Result<Starts>> {
  const starts = await resolveStarts(hub, connection.principal.app, channel, from);
  if (!starts.ok || asked.kind === "none" || !hub.connections.has(connection.id)) return starts;
  const { principal } = connection;
  if (principal.kind === "pusher" && asked.member !== null && isPastUser(hub, principal, asked.member)) {
    hub.end(connection, { code: "credential_expired" }); // As at a sign-in: the app is asked anew.
    return starts;
  }
  const entered = await presence.open(connection, channel.name, asked.member);
  return entered.ok ? starts : entered;
}

/** The channel of the topic with the hub's interest registered at every partition, held by its `starting`. */
async function openChannel(hub: HubState, connection: Connection, topic: string): Promise<Result<TopicChannel>> {
  const known = hub.channels.get(topic);
  if (known !== undefined && known.positions.every((offset) => offset >= 0)) {
    known.starting += 1;
    return ok(known);
  }
  const resolved = await hub.gate.resolveTopic(connection.principal, topic);
  if (!resolved.ok) return resolved;
  const current = hub.channels.get(topic);
  // The channel stands before its logs are asked, so that a push that overtakes their answer finds it.
  const isCurrent = current !== undefined && current.epoch >= resolved.value.life.epoch;
  if (current !== undefined && !isCurrent) endChannel(hub, current);
  const channel = isCurrent ? current : hub.addChannel(resolved.value);
  channel.starting += 1;
  try {
    const { app } = connection.principal;
    const attached = await Promise.all(channel.positions.map((_, partition) => attach(hub, app, channel, partition)));
    const refused = attached.find((answer) => !answer.ok);
    if (refused === undefined) return ok(channel);
    channel.starting -= 1;
    return refused as Result<never>;
  } catch (error) {
    channel.starting -= 1;
    throw error;
  }
}

async function attach(hub: HubState, app: string, channel: TopicChannel, partition: number): Promise<Result<null>> {
  if (channel.positions[partition]! >= 0) return ok(null);
  const answer = await topicLog(hub.env, app, channel.name, partition).attach({
    life: channel.followed.life,
    listener: { kind: "hub", name: hub.ctx.id.name! },
    start: { kind: "latest" },
    types: null,
    keys: null,
  });
  if (!answer.ok) return answer;
  if (hub.channels.get(channel.name) !== channel) return fail("topic_not_found");
  if (channel.positions[partition]! < 0) hub.moveTo(channel, partition, answer.value.after);
  return ok(null);
}

interface Starts {
  readonly offsets: number[];
  /** A cache channel has nothing that it could send first. */
  readonly missed: boolean;
  readonly gaps: readonly Gap[];
}

/** Asks each log where the position is, and whether what it names is still held. */
async function resolveStarts(
  hub: HubState,
  app: string,
  channel: TopicChannel,
  from: Position,
): Promise<Result<Starts>> {
  if (from.kind === "offset" && channel.followed.partitions > 1) return fail("partition_required");
  // What a cache channel has said last is the present there.
  const fromLast = from.kind === "latest" && channelKindOf(channel.name).cached;
  const pages = await Promise.all(
    channel.positions.map((_, partition) =>
      topicLog(hub.env, app, channel.name, partition).read({
        life: channel.followed.life,
        start: startOf(from, channel.followed, partition),
        until: null,
        eventsMax: 0,
        bytesMax: 0,
        types: null,
        keys: null,
        keyStream: null,
      }),
    ),
  );
  const refused = pages.find((page) => !page.ok);
  if (refused !== undefined) return refused as Result<never>;
  const found = pages.flatMap((page) => (page.ok ? [page.value] : []));
  return ok({
    offsets: found.map(({ after, head, firstHeld }) => (fromLast && head >= firstHeld ? head - 1 : after)),
    missed: fromLast && found.every(({ head, firstHeld }) => head < firstHeld),
    gaps: found.flatMap(({ gap }) => (gap === null ? [] : [gap])),
  });
}

function startOf(from: Position, { life }: FollowedTopic, partition: number): ReadStart {
  if (from.kind === "offset") return { kind: "after", epoch: null, offset: from.offset - 1 };
  if (from.kind !== "cursor") return from;
  const offset = from.cursor.offsets.get(partition);
  if (offset === undefined && from.cursor.epoch === life.epoch) return { kind: "earliest" };
  return { kind: "after", epoch: from.cursor.epoch, offset: offset ?? 0 };
}
