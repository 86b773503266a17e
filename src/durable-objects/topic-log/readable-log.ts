/** What can be asked of a log without changing what it holds, and the short cuts that commands leave in it. */
import { DurableObject } from "cloudflare:workers";
import type { KeySnapshot, KeyState, KeyStateAsk, SnapshotOwner } from "../../core/key-state.ts";
import { ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import type { BytesPage, BytesRequest, LogLife, LogStatus, ReadPage, ReadRequest } from "../rpc.ts";
import type { ScheduledAsk, ScheduledPage } from "../rpc/scheduled.ts";
import { readKeyState } from "./key-state.ts";
import type { LogState } from "./log-state.ts";
import { readBytesPage } from "./read-bytes.ts";
import { findEvent, readLines, readPage } from "./read.ts";
import { listScheduled } from "./scheduled.ts";

export abstract class ReadableLog extends DurableObject<Env> {
  protected abstract readonly log: LogState;

  async read(request: ReadRequest): Promise<Result<ReadPage>> {
    const entered = this.log.enter(request.life);
    return entered.ok ? readPage(this.log, request) : entered;
  }

  async readBytes(request: BytesRequest): Promise<Result<BytesPage>> {
    const entered = this.log.enter(request.life);
    return entered.ok ? ok(readBytesPage(this.log, request)) : entered;
  }

  async lines(epoch: number, offsets: readonly number[]): Promise<(string | null)[]> {
    return readLines(this.log, epoch, offsets);
  }

  async find(life: LogLife, id: string): Promise<Result<string | null>> {
    const entered = this.log.enter(life);
    return entered.ok ? ok(findEvent(this.log, id)) : entered;
  }

  async status(life: LogLife): Promise<Result<LogStatus>> {
    const entered = this.log.enter(life);
    if (!entered.ok) return entered;
    const { head, firstHeld } = this.log.ends;
    return ok({
      partition: this.log.partition,
      firstOffset: firstHeld,
      lastOffset: head,
      events: head - firstHeld + 1,
      bytes: this.log.segments.bytesHeld(this.log.ends),
      storedBytes: this.log.bytesStored(Date.now()),
    });
  }

  async waiting(life: LogLife, ask: ScheduledAsk): Promise<Result<ScheduledPage>> {
    const entered = this.log.enter(life);
    return entered.ok ? ok(listScheduled(this.log, ask)) : entered;
  }

  async keyState(life: LogLife, ask: KeyStateAsk): Promise<Result<KeyState>> {
    const entered = this.log.enter(life);
    return entered.ok ? readKeyState(this.log, life, ask) : entered;
  }

  async keepSnapshot(life: LogLife, key: string, owner: SnapshotOwner, snapshot: KeySnapshot): Promise<void> {
    if (this.log.enter(life).ok) this.log.snapshots.keep(key, owner, snapshot);
  }

  async forgetSnapshots(command: string): Promise<void> {
    this.log.snapshots.forget(command);
  }
}
