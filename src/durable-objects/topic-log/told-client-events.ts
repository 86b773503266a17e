/**
 * Tells `$system.client-events` of what is relayed on this channel where its topic wants that: a row before the sender
 * is answered, told in order from the outbox, and told again until it is taken.
 */
import { announceClientEvent, type RelayedEvent } from "../../core/client-event.ts";
import { LIMITS } from "../../core/limits.ts";
import { CLIENT_EVENTS_TOPIC } from "../../core/system-event.ts";
import { AnnouncementStore } from "../announcement-store.ts";
import { Announcer } from "../announcer.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { LogState } from "./log-state.ts";

export class ToldClientEvents {
  readonly #channel: string;
  readonly #announcements: AnnouncementStore;
  readonly #announcer: Announcer;

  constructor({ app, topic, storage }: LogState, gate: () => WorkerGateRpc) {
    this.#channel = topic;
    this.#announcements = new AnnouncementStore(storage.sql, "client_events");
    const announcements = this.#announcements;
    this.#announcer = new Announcer({ app, topic: CLIENT_EVENTS_TOPIC, announcements, teller: topic }, gate);
  }

  note(event: RelayedEvent): void {
    this.#announcements.insert(announceClientEvent(event, this.#channel, crypto.randomUUID()));
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
