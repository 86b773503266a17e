/**
 * What objects say to each other and to the Worker. Types only: callers see these interfaces and never the classes, so
 * `env.ts` can name them without an import cycle. Expected failures are `Result`s; a rejected promise means that the
 * call may or may not have happened.
 */
import type { RelayAnswer, RelayedEvent } from "../core/client-event.ts";
import type { EventFate } from "../core/event-story.ts";
import type { Failure } from "../core/errors.ts";
import type { CountAnswer, FollowerCount } from "../core/occupancy.ts";
import type { DeadLetter, DeadLetterChoice, DeadLetterGroup, DeadLetterQuery } from "../core/dead-letter.ts";
import type { JobReport, RepairAnswer, RepairOptions } from "../core/job.ts";
import type { KeySnapshot, KeyState, KeyStateAsk, SnapshotOwner } from "../core/key-state.ts";
import type { SchemaRejection } from "../core/operation-event.ts";
import type { Principal } from "../core/principal.ts";
import type { LeaseReport, LeaseVerdicts, PullAnswer, PullAsk } from "../core/pull.ts";
import type { ReplayAnswer, ReplayAsk } from "../core/replay.ts";
import type { Result } from "../core/result.ts";
import type { Revocation } from "../core/revocation.ts";
import type { Retention } from "../core/retention.ts";
import type { SignedAsk } from "../core/signed-ask.ts";
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import type { SeekAsk, SeekMove } from "../core/seek.ts";
import type { SettledAnswer, SettledAsk } from "../core/settled.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import type { DeliveryReport, SubscriptionReport } from "../core/subscription-report.ts";
import type { Announcement } from "../core/system-event.ts";
import type { OccurrenceGate } from "./rpc/schedules.ts";
import type { ScheduledAsk, ScheduledPage } from "./rpc/scheduled.ts";
import type { BatchGateRpc, HeldJobs } from "./rpc/batch.ts";

// ---------------------------------------------------------------------------------------------------- topic log

/**
 * Which life of the topic the caller means, and the policy it read. A log adopts a greater epoch (dropping what it
 * held) or a newer revision of the policy, and refuses a smaller epoch with `topic_not_found`: the caller's
 * configuration is stale.
 */
export interface LogLife {
  readonly epoch: number;
  readonly revision: number;
  readonly index: TopicIndex;
  readonly retention: Retention;
}

export type TopicIndex = "none" | "version" | "key";

export interface AppendRequest {
  readonly life: LogLife;
  /** `formatDrafts` of core/draft-text.ts. */
  readonly drafts: string;
  /** By draft: SHA-256 over type, subject, key, dataschema and data, for drafts with a client's id; else null. */
  readonly fingerprints: readonly (string | null)[];
  /** The offset that the producer believes to be the last of this partition. */
  readonly ifMatch: number | null;
  /** The `Idempotency-Key`, scoped, with the fingerprint of the request's body. */
  readonly request: { readonly key: string; readonly fingerprint: string } | null;
  /** `principalKey` of who publishes; absent: nobody may cancel what of it is for later but who manages the topic. */
  readonly producer?: string;
  /** Why nothing of it may be appended; what stands in the log already is answered all the same. Null: it may. */
  readonly refusal: Failure | null;
}

export interface AppendAnswer {
  /** `formatAppended` of core/appended.ts. */
  readonly events: string;
  /** True when an earlier request with the same key had been appended. */
  readonly replayed: boolean;
}

export type ReadStart =
  | { readonly kind: "earliest" }
  | { readonly kind: "latest" }
  /** `epoch` null: an offset given by hand, which belongs to whatever life there is. */
  | { readonly kind: "after"; readonly epoch: number | null; readonly offset: number }
  /** The first event appended at or after this time, milliseconds since 1970. */
  | { readonly kind: "time"; readonly at: number };

export interface ReadRequest {
  readonly life: LogLife;
  readonly start: ReadStart;
  /** The last offset to look at, inclusive; null: the head. */
  readonly until: number | null;
  readonly eventsMax: number;
  readonly bytesMax: number;
  /** Only events of one of these types; null: all. */
  readonly types: readonly string[] | null;
  /** Only events with one of these keys; null: all. */
  readonly keys: readonly string[] | null;
  /** Walk the index of one key instead of the log; needs `index: "key"`. */
  readonly keyStream: string | null;
  /** The reader accounts for every event, so those that have expired come as well (core/expiry.ts). */
  readonly keepsExpired?: true;
}

/** Events of one partition in order: their lines joined (`joinLines`, core/event.ts) with their offsets in parallel. */
export interface EventBatch {
  readonly offsets: readonly number[];
  readonly body: string;
}

export interface ReadPage extends EventBatch {
  /** Where the page begins: the last offset before the first that was looked at. `eventsMax: 0` asks for this alone. */
  readonly after: number;
  /** Everything up to and including this offset was looked at. */
  readonly through: number;
  readonly head: number;
  /** The first offset still held; head + 1 when the log holds nothing. */
  readonly firstHeld: number;
  readonly gap: Gap | null;
  /** Of the key whose stream was read, now; absent: none was. */
  readonly keyVersion?: number;
}

/** A read of everything in (start, head], for a reader that passes the bytes on as they are. */
export type BytesRequest = Pick<ReadRequest, "life" | "start" | "eventsMax" | "bytesMax">;

/** As `ReadPage`; `body` holds the events from `after + 1` to `through` that have not expired, joined, in UTF-8. */
export interface BytesPage {
  /** Of the events in it. */
  readonly count: number;
  readonly after: number;
  readonly through: number;
  readonly head: number;
  readonly gap: Gap | null;
  readonly body: Uint8Array;
}

export interface Gap {
  readonly partition: number;
  readonly requested: number;
  readonly firstHeld: number;
  readonly reason: "trimmed" | "epoch" | "ahead";
}

export interface LogStatus {
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly events: number;
  readonly bytes: number;
  /** What its object takes, which is what `topic_full` is judged by; up to a second old. */
  readonly storedBytes: number;
}

export type ListenerName =
  { readonly kind: "subscription"; readonly id: string } | { readonly kind: "hub"; readonly name: string };

export interface AttachRequest {
  readonly life: LogLife;
  readonly listener: ListenerName;
  /**
   * Where the listener begins. One that is attached already stays where it is, so attaching again is harmless; only
   * `latest` moves it, to the head: who asks for it has forgotten its past.
   */
  readonly start: ReadStart;
  readonly types: readonly string[] | null;
  readonly keys: readonly string[] | null;
}

export interface Attached {
  /** The listener has everything up to here; pushes begin after it. */
  readonly after: number;
  readonly head: number;
}

export interface TopicLogRpc extends Rpc.DurableObjectBranded {
  append(request: AppendRequest): Promise<Result<AppendAnswer>>;
  read(request: ReadRequest): Promise<Result<ReadPage>>;
  /** The same page for the same request without a filter: no event of it becomes a string on the way. */
  readBytes(request: BytesRequest): Promise<Result<BytesPage>>;
  /** Event lines by offset; null where retention has taken one, or the epoch is another. */
  lines(epoch: number, offsets: readonly number[]): Promise<readonly (string | null)[]>;
  /** One event by its id, or null. */
  find(life: LogLife, id: string): Promise<Result<string | null>>;
  status(life: LogLife): Promise<Result<LogStatus>>;
  /** What a command decides on. Fails with `idempotency_key_reused`. */
  keyState(life: LogLife, ask: KeyStateAsk): Promise<Result<KeyState>>;
  /** A short cut for later; of a life that has ended it is dropped. */
  keepSnapshot(life: LogLife, key: string, owner: SnapshotOwner, snapshot: KeySnapshot): Promise<void>;
  /** The command is gone. */
  forgetSnapshots(command: string): Promise<void>;
  /** What waits for its time, in the order of the times. */
  waiting(life: LogLife, ask: ScheduledAsk): Promise<Result<ScheduledPage>>;
  /** Takes back what of that id waits, of one producer or (null) of all. Answers how many. */
  cancel(life: LogLife, id: string, producer: string | null): Promise<Result<number>>;
  /** Passes the event on to the hubs that follow, behind all that was appended before it. At most once. */
  relay(life: LogLife, event: RelayedEvent): Promise<Result<RelayAnswer>>;
  /** Of the channel's followers in one hub; to the log of its first partition. */
  tellFollowers(life: LogLife, count: FollowerCount): Promise<Result<CountAnswer>>;
  /** Its schemas refuse events of a type: told to operators now and then; to the log of its first partition. */
  tellRejected(life: LogLife, rejection: SchemaRejection): Promise<Result<null>>;
  attach(request: AttachRequest): Promise<Result<Attached>>;
  detach(listener: ListenerName): Promise<void>;
  /** Ends the life before `epoch`: tells the listeners, then drops every row. */
  retire(epoch: number): Promise<void>;
}

// ---------------------------------------------------------------------------------- what a log tells its listeners

/** "You have everything up to `after`; here is what matches your filter in (after, through]." */
export interface LogPush extends EventBatch {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  readonly after: number;
  readonly through: number;
  /** The log's last offset; greater than `through` when there is more than one push can carry. */
  readonly head: number;
  /** What the log chose by; null or absent: it left nothing out. A listener of another filter now reads for itself. */
  readonly types?: readonly string[] | null;
  readonly keys?: readonly string[] | null;
  /** For hubs: client events, in order; they stand behind the last event of this push. */
  readonly relayed?: readonly RelayedEvent[];
}

/** `gone`: the listener does not want this topic any more, and the log forgets it. */
export type PushAnswer = { readonly kind: "accepted"; readonly through: number } | { readonly kind: "gone" };

export interface TopicLife {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

// ------------------------------------------------------------------------------------------------- subscription

export interface FollowedTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly life: LogLife;
}

/** Where an event stands. */
export interface EventPlace {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  readonly offset: number;
}

export interface ReportPage<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | null;
}

/** One delivery of a claimed dispatch. `line` is absent when it travels in the message or must be read from the log. */
export interface ClaimedDelivery {
  /** `deliveryKey(…)`. */
  readonly id: string;
  readonly source: number;
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  readonly offset: number;
  /** 1 for the first. */
  readonly attempt: number;
  readonly redrive: boolean;
  /** Dead letters that are redriven bring their own copy. */
  readonly line: string | null;
  /** Those of one lane are attempted one after the other, none after one that was not accepted. */
  readonly lane?: string;
  /** It is a job of a batch that was cancelled, and never begins. */
  readonly cancelled?: true;
}

export type ClaimAnswer =
  /** Settled, superseded, paused, or claimed by somebody whose lease runs: nothing to do. */
  | { readonly kind: "nothing" }
  | {
      readonly kind: "claimed";
      /** Fences the settles: a later claim has a greater one. */
      readonly claim: number;
      readonly definition: SubscriptionDefinition;
      readonly deliveries: readonly ClaimedDelivery[];
    };

/** Events that a publish has just appended, and which it would deliver itself. */
export interface SyncAsk {
  readonly topic: string;
  readonly epoch: number;
  readonly places: readonly SyncPlace[];
}

export type SyncPlace = Pick<EventPlace, "partition" | "offset">;

export interface SyncClaim {
  readonly dispatch: number;
  /** What of them matches and nobody else has taken. */
  readonly answer: ClaimAnswer;
  /** Those that the ledger owes and the publish does not get: they go the usual way. */
  readonly queued: readonly SyncPlace[];
}

export interface SettledDelivery {
  readonly source: number;
  readonly offset: number;
  readonly outcome: AttemptOutcome;
  readonly startedAt: number;
  readonly durationMs: number;
  /** With a failure: the event, kept if this was the last attempt. */
  readonly line: string | null;
}

/** `continue` false: the claim was lost or the subscription stopped; the consumer only ends what is under way. */
export interface SettleAnswer {
  readonly continue: boolean;
}

export interface SubscriptionRpc extends Rpc.DurableObjectBranded {
  configure(definition: SubscriptionDefinition): Promise<void>;
  /** Attaches itself to every partition of these topics. Idempotent. */
  follow(topics: readonly FollowedTopic[]): Promise<Result<null>>;
  accept(push: LogPush): Promise<PushAnswer>;
  /** That life of the topic has ended: what is owed from it expires. */
  forget(life: TopicLife): Promise<void>;
  claim(dispatch: number): Promise<ClaimAnswer>;
  claimForPublisher(ask: SyncAsk): Promise<SyncClaim>;
  settle(dispatch: number, claim: number, outcomes: readonly SettledDelivery[], done: boolean): Promise<SettleAnswer>;
  /** How far it has settled a topic: see `askSettled`. */
  settled(ask: SettledAsk): Promise<Result<SettledAnswer>>;
  /** The platform gave the dispatch's message up: ring again later. */
  ring(dispatch: number): Promise<void>;
  report(): Promise<Result<SubscriptionReport>>;
  pause(): Promise<Result<null>>;
  resume(): Promise<Result<null>>;
  /** `owed`: what is in flight as well. */
  deliveries(state: DeliveryReport["state"], cursor: string | null, limit: number): Promise<ReportPage<DeliveryReport>>;
  /** Those of one event, by its id, in whatever state the ledger has rows of. */
  deliveriesOf(eventId: string): Promise<readonly DeliveryReport[]>;
  /** What became of one event, which stands there and is that line. */
  fateOf(place: EventPlace, line: string): Promise<EventFate>;
  /** Fails with `subscription_not_pulled`, and as one that was removed when the caller's revision is old. */
  pull(ask: PullAsk): Promise<Result<PullAnswer>>;
  settleLeases(report: LeaseReport): Promise<Result<LeaseVerdicts>>;
  /** An upgrade: the socket is told when there may be something to pull, or that what it asks for is settled. */
  fetch(request: Request): Promise<Response>;
  /** Whether the delivery of that id has failed and waits for its next attempt. */
  isParked(id: string): Promise<boolean>;
  /** Gives such a delivery up; what waits behind it moves on. */
  skip(id: string): Promise<Result<null>>;
  /** Tries it again at once. */
  retry(id: string): Promise<Result<null>>;
  deadLetters(cursor: string | null, limit: number, query?: DeadLetterQuery): Promise<ReportPage<DeadLetter>>;
  deadLetterGroups(cursor: string | null, limit: number): Promise<ReportPage<DeadLetterGroup>>;
  /** Few are moved before the answer, many by a job. Fails with `too_many_jobs`. */
  redrive(choice: DeadLetterChoice, options: RepairOptions): Promise<Result<RepairAnswer>>;
  discard(choice: DeadLetterChoice, options: RepairOptions): Promise<Result<RepairAnswer>>;
  /** Moves the place from which it goes on; what it owes, it owes on. */
  seek(ask: SeekAsk): Promise<Result<readonly SeekMove[]>>;
  /** Brings a range once more, as a job. */
  replay(ask: ReplayAsk): Promise<Result<ReplayAnswer>>;
  /** By its number. Fails with `job_not_found`. */
  job(number: number): Promise<Result<JobReport>>;
  cancelJob(number: number): Promise<Result<JobReport>>;
  /** None of the batch's jobs begins from here on. Idempotent. */
  cancelBatch(batch: string): Promise<HeldJobs>;
  /** Ends it and its work: detaches from every log and drops every row. */
  remove(): Promise<void>;
}

// -------------------------------------------------------------------------------------------------- worker gate

/** In the order in which they were made, over all apps. */
export type NumberedRevocation = Revocation & { readonly version: number };

/** What objects ask of the Worker that exports them, because they never read the store. */
export interface WorkerGateRpc extends BatchGateRpc, OccurrenceGate {
  /** Finds the topic or makes it, for someone who wants to follow it. */
  resolveTopic(principal: Principal, topic: string): Promise<Result<FollowedTopic>>;
  /**
   * `event` is a draft as JSON text; the value is its receipt as JSON text. `exclude`: a connection that is not sent
   * the event; null: all are.
   */
  publish(principal: Principal, topic: string, event: string, exclude: string | null): Promise<Result<string>>;
  /** Appends to one of the hub's own topics, in order, each event once (by source and id) however often it is told. */
  announceSystem(app: string, topic: string, announcements: readonly Announcement[]): Promise<Result<null>>;
  /** What may still refuse somebody in the app and is newer than `version`, a page of it; an empty one is the end. */
  revocations(app: string, version: number): Promise<readonly NumberedRevocation[]>;
  /**
   * Whether the principal's key has signed that for its socket: `auth` is `key:signature`. The value is when the secret
   * that signed ends before its key, milliseconds; null: not. Fails with `signature_invalid`.
   */
  verifySigned(principal: Principal, socketId: string, ask: SignedAsk, auth: string): Promise<Result<number | null>>;
  /** Of every hub that may hold sockets of the app. */
  hubNames(app: string): Promise<readonly string[]>;
  /** Who shows this credential, as if it came with a request; `client`: whose failures are counted together. */
  authenticate(credential: string, client: string): Promise<Result<Principal>>;
}
