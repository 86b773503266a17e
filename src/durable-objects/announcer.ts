/**
 * Tells one of the app's system topics what stands in an object's outbox, in order and at least once: the log takes
 * each event once by its id. Nothing waits for it, and what it could not tell now the object's alarm tells.
 */
import { logStage } from "../observability/log.ts";
import type { AnnouncementStore } from "./announcement-store.ts";
import type { WorkerGateRpc } from "./rpc.ts";

const ANNOUNCED_AT_ONCE = 100;

export interface Outbox {
  readonly app: string;
  /** One of the hub's own. */
  readonly topic: string;
  readonly announcements: AnnouncementStore;
  /** Names the object in the logs. */
  readonly teller: string;
}

export class Announcer {
  readonly #outbox: Outbox;
  readonly #gate: () => WorkerGateRpc;
  #running: Promise<void> | null = null;

  constructor(outbox: Outbox, gate: () => WorkerGateRpc) {
    this.#outbox = outbox;
    this.#gate = gate;
  }

  /** Resolves when everything is told or something could not be; never rejects. */
  run(): Promise<void> {
    if (this.#outbox.announcements.isEmpty()) return Promise.resolve();
    this.#running ??= this.#tellAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #tellAll(): Promise<void> {
    const { app, topic, announcements, teller } = this.#outbox;
    try {
      for (let rows = announcements.first(ANNOUNCED_AT_ONCE); rows.length > 0;) {
        const told = await this.#gate().announceSystem(app, topic, rows);
        if (!told.ok) return logStage("system.not_announced", { app, topic, teller, code: told.failure.code });
        announcements.removeThrough(rows.at(-1)!.seq);
        rows = announcements.first(ANNOUNCED_AT_ONCE);
      }
    } catch (error) {
      logStage("system.not_announced", { app, topic, teller, error: String(error) });
    }
  }
}
