/** One partition's log as its parts share it: stores, ends, and which life of the topic this is. */
import { parseObjectName } from "../../core/keys.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { countedSql } from "../counted-sql.ts";
import { MetaStore } from "../meta-store.ts";
import { applyMigrations } from "../object-migrations.ts";
import type { LogLife } from "../rpc.ts";
import { IdentityStore } from "./identity-store.ts";
import { LOG_MIGRATIONS } from "./log-migrations.ts";
import type { Life, LogFacts } from "./log-facts.ts";
import { ScheduledStore } from "./scheduled-store.ts";
import { SegmentStore, type LogEnds } from "./segment-store.ts";
import { SnapshotStore } from "./snapshot-store.ts";

export class LogState {
  readonly app: string;
  readonly topic: string;
  readonly partition: number;
  readonly storage: DurableObjectStorage;
  /** Of the same storage, counting rows. */
  readonly sql: SqlStorage;
  readonly segments: SegmentStore;
  readonly identities: IdentityStore;
  readonly snapshots: SnapshotStore;
  readonly scheduled: ScheduledStore;
  readonly meta: MetaStore<LogFacts>;
  /** Rebuilt from rows at each wake; only changed in the turn that changes the rows. */
  ends: LogEnds;
  readonly #ctx: DurableObjectState;
  readonly #adopted: () => void;
  readonly #ending: () => void;
  #life: Life | null;
  #measuredAt = 0;
  #measuredBytes = 0;

  /**
   * `adopted` is called in the turn in which a newer life or policy is taken, whatever call brought it; `ending` in the
   * transaction that drops the rows of a life.
   */
  constructor(ctx: DurableObjectState, adopted: () => void, ending: () => void) {
    this.#ctx = ctx;
    this.#adopted = adopted;
    this.#ending = ending;
    const name = parseObjectName(ctx.id.name);
    if (name.kind !== "log") throw new Error(`a topic log cannot be named ${ctx.id.name}`);
    ({ app: this.app, topic: this.topic, partition: this.partition } = name);
    this.storage = ctx.storage;
    applyMigrations(ctx.storage, LOG_MIGRATIONS);
    this.sql = countedSql(ctx.storage.sql, this.app, "log");
    this.segments = new SegmentStore(this.sql);
    this.identities = new IdentityStore(this.sql);
    this.snapshots = new SnapshotStore(this.sql);
    this.scheduled = new ScheduledStore(this.sql);
    this.meta = new MetaStore(this.sql);
    this.#life = this.meta.read("life");
    this.ends = this.segments.ends(this.meta.read("trim"));
  }

  /** Null before the first call and after retirement. */
  get life(): LogLife | null {
    return this.#life?.kind === "live" ? this.#life.life : null;
  }

  get epoch(): number {
    if (this.#life === null) return 0;
    return this.#life.kind === "live" ? this.#life.life.epoch : this.#life.epoch;
  }

  /**
   * Takes the caller's word for a newer life or policy and refuses an older life: its configuration is stale, or the
   * topic was deleted a moment ago.
   */
  enter(life: LogLife): Result<LogLife> {
    const current = this.life;
    if (life.epoch === this.epoch && current !== null) {
      if (life.revision <= current.revision) return ok(current);
    } else if (life.epoch <= this.epoch) {
      return fail("topic_not_found");
    }
    this.storage.transactionSync(() => {
      if (life.epoch > this.epoch) this.#dropEverything();
      this.#life = { kind: "live", life };
      this.meta.write("life", this.#life);
    });
    this.#adopted();
    return ok(life);
  }

  /** Measured at most once a second: asking costs as much as an append. */
  bytesStored(now: number): number {
    if (now - this.#measuredAt >= 1_000) {
      this.#measuredAt = now;
      this.#measuredBytes = this.storage.sql.databaseSize;
    }
    return this.#measuredBytes;
  }

  /** Gives up the heap and everything under way; the next call finds a log made anew from its rows. */
  restart(reason: unknown): void {
    this.#ctx.abort(String(reason));
  }

  /** Ends the life before `epoch`. The epoch is taken in the transaction that drops the rows. */
  retire(epoch: number): void {
    if (epoch <= this.epoch) return;
    this.storage.transactionSync(() => {
      this.#dropEverything();
      this.#life = { kind: "retired", epoch };
      this.meta.write("life", this.#life);
    });
  }

  #dropEverything(): void {
    this.#ending();
    this.segments.clear();
    this.identities.clear();
    this.snapshots.clear();
    this.scheduled.clear();
    this.meta.remove("trim");
    this.meta.remove("sweep");
    this.ends = this.segments.ends(null);
  }
}
