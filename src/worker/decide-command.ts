/**
 * One try at a command: its key's events are folded into a state, from the last snapshot on, and the handler decides on
 * it. Whatever stands in the log of this very request is found first, so a repeat never decides twice.
 */
import type { CommandDefinition, SentCommand } from "../core/command.ts";
import { parseEventLine, splitLines } from "../core/event.ts";
import type { AppendedBefore, KeySnapshot, KeyState, SnapshotOwner } from "../core/key-state.ts";
import { meetsVersion } from "../core/key-version.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { fitsUtf8 } from "../core/utf8.ts";
import { callHandler } from "../delivery/command-target.ts";
import type { Env } from "../env.ts";
import { topicLog } from "../stubs.ts";
import type { TopicRecord } from "../store/topics-store.ts";
import type { CommandAnswer, CommandCall, FoldedState } from "../wire/native/command-call.ts";
import { reach } from "./reach.ts";
import { lifeOf } from "./topic-life.ts";

export interface CommandTry {
  readonly env: Env;
  readonly definition: CommandDefinition;
  readonly sent: SentCommand;
  /** What the handler knows the command by. */
  readonly id: string;
  readonly request: { readonly key: string; readonly fingerprint: string };
  readonly partition: number;
  /** Milliseconds since 1970: until then it is decided, or it has failed. */
  readonly deadline: number;
  /** What need not be waited for. */
  readonly later: (work: Promise<unknown>) => void;
}

export type Decided =
  | { readonly kind: "appended"; readonly events: readonly AppendedBefore[] }
  | { readonly kind: "rejected"; readonly reason: string }
  /** To be appended where the key is still of that version. */
  | { readonly kind: "decided"; readonly events: readonly unknown[]; readonly version: number };

/**
 * Failures: `command_failed`, `key_history_trimmed`, `index_required`, `idempotency_key_reused`, `topic_not_found`, and
 * `version_conflict` where the sender expected another version.
 */
export async function decideCommand(run: CommandTry, topic: TopicRecord): Promise<Result<Decided>> {
  const snapshotted = await new KeyFolding(run, topic, true).decide();
  if (snapshotted !== "refold") return snapshotted;
  const anew = await new KeyFolding(run, topic, false).decide();
  return anew === "refold" ? fail("command_failed", "The handler wants no events that there are.") : anew;
}

class KeyFolding {
  readonly #run: CommandTry;
  readonly #topic: TopicRecord;
  readonly #owner: SnapshotOwner;
  /** Null: no snapshot is looked for. */
  #snapshotOf: SnapshotOwner | null;
  #folded: FoldedState | null = null;
  #version = 0;
  #through = 0;
  #sinceSnapshot = 0;

  constructor(run: CommandTry, topic: TopicRecord, usesSnapshot: boolean) {
    this.#run = run;
    this.#topic = topic;
    const { id, name, revision } = run.definition;
    this.#owner = { command: name, definition: `${id}/${revision}` };
    this.#snapshotOf = usesSnapshot ? this.#owner : null;
  }

  async decide(): Promise<Result<Decided> | "refold"> {
    for (;;) {
      const page = await this.#read();
      if (!page.ok) return page;
      if (page.value.kind === "appended") return ok(page.value);
      this.#begin(page.value.snapshot);
      // Before anything is folded: half a state is not to be kept, least of all in place of a whole one.
      if (!isNext(page.value.body, this.#version)) return fail("key_history_trimmed");
      this.#version += page.value.count;
      this.#sinceSnapshot += page.value.count;
      this.#through = page.value.through;
      const { body, isLast, version } = page.value;
      if (isLast && version !== this.#version) return fail("key_history_trimmed");
      if (isLast) return this.#decideOn(body);
      const answer = await this.#call(body, false);
      if (!answer.ok) return answer;
      if (answer.value.kind === "refold") return "refold";
      if (answer.value.kind !== "folded") return fail("command_failed", "The handler decided before its time.");
      this.#folded = answer.value.folded;
      this.#keep(answer.value.folded);
    }
  }

  async #decideOn(events: string): Promise<Result<Decided> | "refold"> {
    const { sent } = this.#run;
    if (!meetsVersion(sent.expectedKeyVersion, this.#version))
      return fail("version_conflict", "The key's version is another.", { actual: this.#version });
    const answer = await this.#call(events, true);
    if (!answer.ok) return answer;
    if (answer.value.kind === "refold") return "refold";
    if (answer.value.kind === "folded") return fail("command_failed", "The handler did not decide.");
    if (answer.value.folded !== null) this.#keep(answer.value.folded);
    if (answer.value.kind === "decided")
      return ok({ kind: "decided", events: answer.value.events, version: this.#version });
    return ok({ kind: "rejected", reason: answer.value.reason.slice(0, LIMITS.COMMAND_REASON_CHARS_MAX) });
  }

  #read(): Promise<Result<KeyState>> {
    const { sent, request } = this.#run;
    const ask = { key: sent.key, request, snapshotOf: this.#snapshotOf, after: this.#through };
    return reach(() => this.#log().keyState(lifeOf(this.#topic), ask));
  }

  #begin(snapshot: KeySnapshot | null): void {
    this.#snapshotOf = null; // The pages behind the first go on from what is folded.
    if (snapshot === null) return;
    this.#folded = { fold: snapshot.fold, state: snapshot.state };
    this.#version = snapshot.version;
  }

  #call(events: string, decides: boolean): Promise<Result<CommandAnswer>> {
    const { env, definition, sent, id, deadline } = this.#run;
    const { key, payload } = sent;
    const call: CommandCall = {
      app: definition.app,
      command: definition.name,
      snapshot: this.#folded,
      events,
      decide: decides ? { id, key, payload, version: this.#version } : null,
      wantsState: !decides || this.#sinceSnapshot >= LIMITS.SNAPSHOT_EVENTS,
    };
    return callHandler(env, definition.target, call, deadline - Date.now());
  }

  /** A lost one costs time and nothing else. */
  #keep({ fold, state }: FoldedState): void {
    const { sent, later } = this.#run;
    if (sent.key === null || !fitsUtf8(state, LIMITS.SNAPSHOT_BYTES_MAX)) return;
    const snapshot: KeySnapshot = { fold, state, version: this.#version, offset: this.#through };
    const kept = this.#log().keepSnapshot(lifeOf(this.#topic), sent.key, this.#owner, snapshot);
    later(kept.catch(() => null));
  }

  #log() {
    return topicLog(this.#run.env, this.#topic.app, this.#topic.name, this.#run.partition);
  }
}

/** Whether the events are those that follow on a key's version: what retention took leaves a step in theirs. */
function isNext(events: string, version: number): boolean {
  const [first] = splitLines(events);
  return first === undefined || parseEventLine(first).keyversion === version + 1;
}
