/**
 * Appends that arrive together share one transaction, one segment and one commit. Each request's part stands or falls
 * alone, and nobody is answered before the commit: the output gate holds every reply until it is durable.
 */
import { formatAppended, type Appended } from "../../core/appended.ts";
import { parseDrafts } from "../../core/draft-text.ts";
import { expiryOf } from "../../core/expiry.ts";
import { lineFormat, type EventDraft, type LineFormat } from "../../core/event.ts";
import type { Failure } from "../../core/errors.ts";
import { meetsVersion } from "../../core/key-version.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { isForLater } from "../../core/schedule.ts";
import { UUID_RANDOM_DIGITS, uuidsV7, uuidV7 } from "../../core/uuid.ts";
import type { AppendAnswer, AppendRequest } from "../rpc.ts";
import { ChancePool } from "./chance-pool.ts";
import type { KnownEvent } from "./identity-store.ts";
import type { LogState } from "./log-state.ts";
import { NamedEvents } from "./named-events.ts";
import type { TailEvent } from "./tail.ts";

/** So long after two calls met, those that follow wait for each other: several publish at once. */
const MEETING_MS = 1_000;

type Append = Omit<AppendRequest, "drafts"> & { readonly drafts: readonly EventDraft[] };

interface PendingAppend {
  readonly request: Append;
  readonly resolve: (answer: Result<AppendAnswer>) => void;
  readonly reject: (reason: unknown) => void;
}

const mayHaveRow = ({ id, deliverAt }: EventDraft): boolean => id !== null || deliverAt !== undefined;

/** An event that waits stands nowhere yet. */
const WAITING = { offset: 0, keyVersion: null };

/** Thrown inside a request's nested transaction to undo its rows; never leaves this file. */
class Refusal extends Error {
  readonly failure: Failure;

  constructor(answer: Result<never>) {
    super("append refused");
    this.failure = (answer as { failure: Failure }).failure;
  }
}

export class Appender {
  readonly #log: LogState;
  readonly #appended: (events: readonly TailEvent[]) => void;
  readonly #chance = new ChancePool();
  #pending: PendingAppend[] = [];
  /** What was flushed at once and is not durable yet. */
  #committing = 0;
  /** When a call last met another. */
  #metAt = 0;

  /**
   * `appended` is called in the turn of the commit with what it holds (nothing, where events were only scheduled); what
   * it sends waits for the output gate.
   */
  constructor(log: LogState, appended: (events: readonly TailEvent[]) => void) {
    this.#log = log;
    this.#appended = appended;
  }

  append(request: AppendRequest): Promise<Result<AppendAnswer>> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ request: { ...request, drafts: parseDrafts(request.drafts) }, resolve, reject });
      const now = Date.now();
      if (this.#pending.length > 1 || this.#committing > 0) this.#metAt = now;
      if (this.#pending.length > 1) return;
      // Who comes alone need not wait. While others are about, more will come: a timer, which takes more than a
      // millisecond, lets all that stand at the door arrive first. An eviction before it loses only what nobody has
      // been told.
      if (now - this.#metAt <= MEETING_MS) return void setTimeout(() => this.#flush(), 0);
      this.#flush();
      this.#watchCommit();
    });
  }

  /** Appends what is due now of what was scheduled, a slice of it. */
  release(): void {
    if (isDue(this.#log, Date.now())) this.#flush();
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    try {
      const flush = new Flush(this.#log, this.#chance, Date.now());
      const answers = this.#log.storage.transactionSync(() => {
        flush.release();
        const answered = pending.map(({ request }) => flush.appendOne(request));
        flush.writeSegments();
        return answered;
      });
      flush.commitToHeap();
      for (const [index, { resolve }] of pending.entries()) resolve(answers[index]!);
      if (flush.events.length > 0 || flush.hasScheduled) this.#appended(flush.events);
    } catch (error) {
      for (const { reject } of pending) reject(error);
      this.#log.restart(error); // The rows rolled back; what the heap believes of them cannot be trusted.
    }
  }

  #watchCommit(): void {
    this.#committing += 1;
    const ended = (): void => {
      this.#committing -= 1;
    };
    this.#log.storage.sync().then(ended, ended);
  }
}

const isDue = ({ scheduled }: LogState, now: number): boolean =>
  scheduled.nextDueAt !== null && scheduled.nextDueAt <= now;

/** One flush under way: the lines and positions it has given out so far. */
class Flush {
  readonly events: TailEvent[] = [];
  hasScheduled = false;
  readonly #log: LogState;
  /** By the clock. */
  readonly #now: number;
  /** By the log. */
  readonly #at: number;
  readonly #format: LineFormat;
  readonly #chance: ChancePool;
  readonly #mint: (random: string) => string;
  #bytesThrough: number;

  constructor(log: LogState, chance: ChancePool, now: number) {
    this.#log = log;
    this.#chance = chance;
    this.#now = now;
    this.#at = Math.max(now, log.ends.appendedAt); // A clock that steps back does not take the log's order with it.
    const { topic, partition } = log;
    this.#format = lineFormat({ topic, partition, appendedAt: new Date(this.#at).toISOString() });
    this.#mint = uuidsV7(this.#at);
    this.#bytesThrough = log.ends.bytesThrough;
  }

  get #head(): number {
    return this.#log.ends.head + this.events.length;
  }

  /** What is due becomes events before what has just come. A row goes in the transaction that appends its event. */
  release(): void {
    if (!isDue(this.#log, this.#now)) return;
    const { SCHEDULED_EVENTS_PER_SLICE: countMax, SEGMENT_BYTES_MAX: charsMax } = LIMITS;
    const due = this.#log.scheduled.due(this.#now, countMax, charsMax);
    const drafts = due.map(({ id, draft }) => ({ ...draft, id }));
    const named = new NamedEvents(this.#log.identities, drafts);
    for (const [at, { seq, fingerprint }] of due.entries()) {
      this.#log.scheduled.remove(seq);
      named.note(at, fingerprint, this.#appendDraft(drafts[at]!));
    }
    named.record(this.#at);
  }

  appendOne(request: Append): Result<AppendAnswer> {
    const entered = this.#enter(request);
    if (!entered.ok) return entered;
    const known = request.request === null ? null : this.#log.identities.request(request.request.key);
    if (known !== null) {
      if (known.fingerprint !== request.request!.fingerprint) return fail("idempotency_key_reused");
      const events = known.events.map((event) => ({ ...event, duplicate: true }));
      return ok({ events: formatAppended(events), replayed: true });
    }
    const mark = this.events.length;
    try {
      const append = (): string => this.#appendAll(request);
      const events = this.#writesRows(request) ? this.#log.storage.transactionSync(append) : append();
      return ok({ events, replayed: false });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.events.length = mark;
      this.#log.scheduled.reread();
      return { ok: false, failure: error.failure };
    }
  }

  writeSegments(): void {
    if (this.events.length === 0) return;
    const lines = this.events.map((event) => event.line);
    const expiries = this.events.flatMap(({ expiresAt }) => expiresAt ?? []);
    const expiresAt = expiries.length === 0 ? null : Math.min(...expiries);
    const first = this.#log.ends.head + 1;
    this.#bytesThrough = this.#log.segments.append(first, lines, this.#at, this.#bytesThrough, expiresAt);
  }

  commitToHeap(): void {
    if (this.events.length === 0) return;
    this.#log.ends = { ...this.#log.ends, head: this.#head, appendedAt: this.#at, bytesThrough: this.#bytesThrough };
  }

  /** Only rows of its own have to be undone with a request; its lines are dropped from the list. */
  #writesRows({ request, drafts, life }: Append): boolean {
    return request !== null || life.index !== "none" || drafts.some(mayHaveRow);
  }

  /** A new life begins with an empty log, so it cannot begin behind lines of the old one in the same segment. */
  #enter(request: Append): Result<unknown> {
    if (this.events.length > 0 && request.life.epoch > this.#log.epoch)
      return fail("hub_overloaded", undefined, { retryAfterSeconds: 1 });
    return this.#log.enter(request.life);
  }

  /** What is answered (`formatAppended`), and kept for when the request comes again. */
  #appendAll(request: Append): string {
    const named = new NamedEvents(this.#log.identities, request.drafts);
    const appended = request.drafts.map((draft, at) =>
      this.#findDuplicate(draft, request.fingerprints[at] ?? null, named.find(at)),
    );
    if (request.refusal !== null && appended.includes(null)) throw new Refusal({ ok: false, failure: request.refusal });
    const ifMatch = request.ifMatch;
    if (ifMatch !== null && ifMatch !== this.#head && appended.includes(null)) {
      throw new Refusal(fail("version_conflict", "The partition's last offset is another.", { actual: this.#head }));
    }
    // What stands in a full log is answered all the same.
    const bytes = appended.includes(null) ? this.#log.bytesStored(this.#at) : 0;
    if (bytes > LIMITS.LOG_BYTES_MAX)
      throw new Refusal(fail("topic_full", undefined, { limit: LIMITS.LOG_BYTES_MAX, actual: bytes }));
    const events = request.drafts.map((draft, at) => {
      // Looked up again when the first look found nothing: the same id may stand twice in one request.
      const fingerprint = request.fingerprints[at] ?? null;
      const known = appended[at] ?? this.#findDuplicate(draft, fingerprint, named.find(at));
      if (known !== null) return known;
      if (isForLater(draft, this.#now)) return this.#schedule(draft, fingerprint, request.producer ?? "");
      const event = this.#appendDraft(draft);
      if (draft.id !== null && fingerprint !== null) named.note(at, fingerprint, event);
      return event;
    });
    named.record(this.#at);
    const answer = formatAppended(events);
    if (request.request !== null) {
      const { key, fingerprint: ofBody } = request.request;
      this.#log.identities.recordRequest(key, ofBody, answer, this.#at);
    }
    return answer;
  }

  /** `known`: what the log holds under the draft's id. */
  #findDuplicate(draft: EventDraft, fingerprint: string | null, known: KnownEvent | null): Appended | null {
    if (draft.id === null) return null;
    if (known === null) return this.#findScheduled(draft.source, draft.id, fingerprint);
    if (known.fingerprint !== fingerprint) {
      throw new Refusal(
        fail("event_id_conflict", `The event was appended at offset ${known.offset}.`, { actual: known.offset }),
      );
    }
    return { id: draft.id, offset: known.offset, keyVersion: known.keyVersion, duplicate: true };
  }

  #findScheduled(source: string, id: string, fingerprint: string | null): Appended | null {
    const row = this.#log.scheduled.find(source, id);
    if (row === null) return null;
    if (row.fingerprint !== fingerprint) throw new Refusal(fail("event_id_conflict", "The event waits for its time."));
    return { ...WAITING, id, duplicate: true, deliverAt: row.deliverAt };
  }

  #schedule(draft: EventDraft, fingerprint: string | null, producer: string): Appended {
    const { scheduled } = this.#log;
    const limit = LIMITS.SCHEDULED_EVENTS_MAX;
    if (scheduled.count >= limit) throw new Refusal(fail("too_many_scheduled", undefined, { limit }));
    const { deliverAt = 0 } = draft;
    const id = draft.id ?? uuidV7(this.#now, this.#chance.draw(UUID_RANDOM_DIGITS));
    scheduled.insert({ deliverAt, id, fingerprint: fingerprint ?? "", producer, draft });
    this.hasScheduled = true;
    return { ...WAITING, id, duplicate: false, deliverAt };
  }

  #appendDraft(draft: EventDraft): Appended {
    const offset = this.#head + 1;
    const keyVersion = this.#nextKeyVersion(draft, offset);
    const id = draft.id ?? this.#mint(this.#chance.draw(UUID_RANDOM_DIGITS));
    const line = this.#format(draft, id, offset, keyVersion);
    this.events.push({ offset, type: draft.type, key: draft.key, line, expiresAt: expiryOf(draft, line) });
    return { id, offset, keyVersion, duplicate: false };
  }

  #nextKeyVersion(draft: EventDraft, offset: number): number | null {
    const index = this.#log.life!.index;
    if (index === "none") {
      if (draft.expectedKeyVersion !== null)
        throw new Refusal(fail("index_required", "expectedKeyVersion needs a topic made with index version or key."));
      return null;
    }
    if (draft.key === null) return null;
    const version = this.#log.identities.keyVersion(index, draft.key);
    if (!meetsVersion(draft.expectedKeyVersion, version)) {
      throw new Refusal(fail("version_conflict", "The key's version is another.", { actual: version }));
    }
    this.#log.identities.recordKeyVersion(index, draft.key, version + 1, offset);
    return version + 1;
  }
}
