/**
 * What the log has to tell `$system.operations`: a row in the turn in which it happens, told in order from the outbox,
 * and told again until it is taken.
 */
import { LIMITS } from "../../core/limits.ts";
import { announceTopicOperation, type SchemaRejection, type TopicNews } from "../../core/operation-event.ts";
import { OPERATIONS_TOPIC } from "../../core/system-event.ts";
import { logStage } from "../../observability/log.ts";
import { count } from "../../observability/meter.ts";
import { AnnouncementStore } from "../announcement-store.ts";
import { Announcer } from "../announcer.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { LogState } from "./log-state.ts";
import { RejectionStore } from "./rejection-store.ts";

export class ToldOperations {
  readonly #log: LogState;
  readonly #rejections: RejectionStore;
  readonly #announcements: AnnouncementStore;
  readonly #announcer: Announcer;

  constructor(log: LogState, gate: () => WorkerGateRpc) {
    this.#log = log;
    this.#rejections = new RejectionStore(log.sql);
    this.#announcements = new AnnouncementStore(log.sql, "operations");
    const { app, topic: teller } = log;
    this.#announcer = new Announcer({ app, topic: OPERATIONS_TOPIC, announcements: this.#announcements, teller }, gate);
  }

  note(news: TopicNews): void {
    const { app, topic, partition } = this.#log;
    logStage(news.kind, { app, topic, partition, ...fieldsOf(news) });
    count("tidings_operations_total", { app, kind: news.kind });
    this.#announcements.insert(announceTopicOperation(news, topic, crypto.randomUUID()));
  }

  /** Told once in `SCHEMA_REJECTED_TOLD_MS` for each type, with all that came since. Answers whether there is news. */
  noteRejection(rejection: SchemaRejection, now: number): boolean {
    return this.#log.storage.transactionSync(() => {
      const { toldAt, untold } = this.#rejections.find(rejection.type);
      const refusals = untold + rejection.refusals;
      const isNews = toldAt === null || Math.abs(now - toldAt) >= LIMITS.SCHEMA_REJECTED_TOLD_MS;
      this.#rejections.put(rejection.type, isNews ? { toldAt: now, untold: 0 } : { toldAt, untold: refusals });
      if (isNews) this.note({ kind: "schema.rejected", ...rejection, refusals });
      return isNews;
    });
  }

  /** In the transaction that ends the life. What it has noted before is told all the same. */
  endLife(): void {
    this.#rejections.clear();
  }

  /** Never rejects. */
  run(): Promise<void> {
    return this.#announcer.run();
  }

  /** When somebody has to come back; null: there is nothing to tell. */
  dueAt(now: number): number | null {
    return this.#announcements.isEmpty() ? null : now + LIMITS.TELL_AGAIN_MS;
  }
}

function fieldsOf(news: TopicNews): Readonly<Record<string, string | number | null>> {
  if (news.kind !== "schema.rejected") return { bytes: news.bytes };
  const { type, version, producer, refusals } = news;
  return { type, version, producer, refusals };
}
