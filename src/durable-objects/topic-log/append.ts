/**
 * Appends that arrive together share one transaction, one segment and one commit. Each request's part stands or falls
 * alone, and nobody is answered before the commit: the output gate holds every reply until it is durable.
 */
import type { EventDraft } from "../../core/event.ts";
import { formatEventLine } from "../../core/event.ts";
import type { Failure } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { UUID_RANDOM_DIGITS, uuidV7 } from "../../core/uuid.ts";
import type { AppendAnswer, Appended, AppendRequest } from "../rpc.ts";
import { ChancePool } from "./chance-pool.ts";
import type { LogState } from "./log-state.ts";
import type { TailEvent } from "./tail.ts";

interface PendingAppend {
  readonly request: AppendRequest;
  readonly resolve: (answer: Result<AppendAnswer>) => void;
  readonly reject: (reason: unknown) => void;
}

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

  /** `appended` is called in the turn of the commit with what it holds; what it sends waits for the output gate. */
  constructor(log: LogState, appended: (events: readonly TailEvent[]) => void) {
    this.#log = log;
    this.#appended = appended;
  }

  append(request: AppendRequest): Promise<Result<AppendAnswer>> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ request, resolve, reject });
      // A timer lets every call that is already waiting at the door arrive first; an eviction before it loses only what
      // nobody has been told.
      if (this.#pending.length === 1) setTimeout(() => this.#flush(), 0);
    });
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    try {
      const flush = new Flush(this.#log, this.#chance, Date.now());
      const answers = this.#log.storage.transactionSync(() => {
        const answered = pending.map(({ request }) => flush.appendOne(request));
        flush.writeSegments();
        return answered;
      });
      flush.commitToHeap();
      for (const [index, { resolve }] of pending.entries()) resolve(answers[index]!);
      if (flush.events.length > 0) this.#appended(flush.events);
    } catch (error) {
      for (const { reject } of pending) reject(error);
      this.#log.restart(error); // The rows rolled back; what the heap believes of them cannot be trusted.
    }
  }
}

/** One flush under way: the lines and positions it has given out so far. */
class Flush {
  readonly events: TailEvent[] = [];
  readonly #log: LogState;
  readonly #at: number;
  readonly #appendedAt: string;
  readonly #chance: ChancePool;
  #bytesThrough: number;

  constructor(log: LogState, chance: ChancePool, now: number) {
    this.#log = log;
    this.#chance = chance;
    this.#at = Math.max(now, log.ends.appendedAt); // A clock that steps back does not take the log's order with it.
    this.#appendedAt = new Date(this.#at).toISOString();
    this.#bytesThrough = log.ends.bytesThrough;
  }

  get #head(): number {
    return this.#log.ends.head + this.events.length;
  }

  appendOne(request: AppendRequest): Result<AppendAnswer> {
    const entered = this.#enter(request);
    if (!entered.ok) return entered;
    const known = request.request === null ? null : this.#log.identities.request(request.request.key);
    if (known !== null) {
      if (known.fingerprint !== request.request!.fingerprint) return fail("idempotency_key_reused");
      return ok({ events: known.events.map((event) => ({ ...event, duplicate: true })), replayed: true });
    }
    const mark = this.events.length;
    try {
      const append = (): Appended[] => this.#appendAll(request);
      return ok({
        events: this.#writesRows(request) ? this.#log.storage.transactionSync(append) : append(),
        replayed: false,
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.events.length = mark;
      return { ok: false, failure: error.failure };
    }
  }

  writeSegments(): void {
    if (this.events.length === 0) return;
    const lines = this.events.map((event) => event.line);
    this.#bytesThrough = this.#log.segments.append(this.#log.ends.head + 1, lines, this.#at, this.#bytesThrough);
  }

  commitToHeap(): void {
    if (this.events.length === 0) return;
    this.#log.ends = { ...this.#log.ends, head: this.#head, appendedAt: this.#at, bytesThrough: this.#bytesThrough };
  }

  /** Only rows of its own have to be undone with a request; its lines are dropped from the list. */
  #writesRows({ request, drafts, life }: AppendRequest): boolean {
    return request !== null || life.index !== "none" || drafts.some(({ id }) => id !== null);
  }

  /** A new life begins with an empty log, so it cannot begin behind lines of the old one in the same segment. */
  #enter(request: AppendRequest): Result<unknown> {
    if (this.events.length > 0 && request.life.epoch > this.#log.epoch)
      return fail("hub_overloaded", undefined, { retryAfterSeconds: 1 });
    return this.#log.enter(request.life);
  }

  #appendAll(request: AppendRequest): Appended[] {
    const appended = request.drafts.map((draft, index) =>
      this.#findDuplicate(draft, request.fingerprints[index] ?? null),
    );
    if (request.refusal !== null && appended.includes(null)) throw new Refusal({ ok: false, failure: request.refusal });
    const ifMatch = request.ifMatch;
    if (ifMatch !== null && ifMatch !== this.#head && appended.includes(null)) {
      throw new Refusal(fail("version_conflict", "The partition's last offset is another.", { actual: this.#head }));
    }
    const bytes = this.#log.bytesStored(this.#at);
    if (bytes > LIMITS.LOG_BYTES_MAX)
      throw new Refusal(fail("topic_full", undefined, { limit: LIMITS.LOG_BYTES_MAX, actual: bytes }));
    const events = request.drafts.map((draft, index) => {
      // Looked up again when the first look found nothing: the same id may stand twice in one request.
      const fingerprint = request.fingerprints[index] ?? null;
      return appended[index] ?? this.#findDuplicate(draft, fingerprint) ?? this.#appendDraft(draft, fingerprint);
    });
    if (request.request !== null)
      this.#log.identities.recordRequest(
        request.request.key,
        { fingerprint: request.request.fingerprint, events },
        this.#at,
      );
    return events;
  }

  #findDuplicate(draft: EventDraft, fingerprint: string | null): Appended | null {
    if (draft.id === null) return null;
    const known = this.#log.identities.event(draft.source, draft.id);
    if (known === null) return null;
    if (known.fingerprint !== fingerprint) {
      throw new Refusal(
        fail("event_id_conflict", `The event was appended at offset ${known.offset}.`, { actual: known.offset }),
      );
    }
    return { id: draft.id, offset: known.offset, keyVersion: known.keyVersion, duplicate: true };
  }

  #appendDraft(draft: EventDraft, fingerprint: string | null): Appended {
    const offset = this.#head + 1;
    const keyVersion = this.#nextKeyVersion(draft, offset);
    const id = draft.id ?? uuidV7(this.#at, this.#chance.draw(UUID_RANDOM_DIGITS));
    if (draft.id !== null && fingerprint !== null) {
      this.#log.identities.recordEvent(draft.source, draft.id, { offset, keyVersion, fingerprint }, this.#at);
    }
    const { topic, partition } = this.#log;
    const line = formatEventLine(draft, id, { topic, partition, offset, appendedAt: this.#appendedAt, keyVersion });
    this.events.push({ offset, type: draft.type, key: draft.key, line });
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
    if (draft.expectedKeyVersion !== null && draft.expectedKeyVersion !== version) {
      throw new Refusal(fail("version_conflict", "The key's version is another.", { actual: version }));
    }
    this.#log.identities.recordKeyVersion(index, draft.key, version + 1, offset);
    return version + 1;
  }
}
