/** What the hub asks of a command's handler, in this Worker or another, and what it takes for an answer. */

export interface CommandCall {
  /** The app's id: a Worker that serves one app only can refuse the others. */
  readonly app: string;
  /** The command's name on the hub. */
  readonly command: string;
  /** Where to begin; null: with the handler's initial state. */
  readonly snapshot: FoldedState | null;
  /** The key's events behind it, in order: the inside of a JSON array. */
  readonly events: string;
  /** What to decide on the state after them; null: more events follow, so these are only to be folded. */
  readonly decide: CommandToDecide | null;
  /** The answer is to say the state after the events; always where nothing is to be decided. */
  readonly wantsState: boolean;
}

export interface FoldedState {
  /** Which code has folded it; another has no use for it. */
  readonly fold: string;
  /** JSON. */
  readonly state: string;
}

export interface CommandToDecide {
  /** Stable while the command is repeated under its Idempotency-Key: the key for whatever the handler causes. */
  readonly id: string;
  readonly key: string | null;
  /** JSON. */
  readonly payload: string;
  /** How many events the key has; 0 without a key. */
  readonly version: number;
}

export type CommandAnswer =
  /** The snapshot is of other code: the events are wanted from the first. */
  | { readonly kind: "refold" }
  | { readonly kind: "folded"; readonly folded: FoldedState }
  /** Drafts of events, as JSON would say them. */
  | { readonly kind: "decided"; readonly events: readonly unknown[]; readonly folded: FoldedState | null }
  | { readonly kind: "rejected"; readonly reason: string; readonly folded: FoldedState | null };

/** The answer is another Worker's and may be anything; null: it is none. */
export function readCommandAnswer(answer: unknown): CommandAnswer | null {
  if (typeof answer !== "object" || answer === null) return null;
  const { kind, events, reason, folded: state } = answer as Readonly<Record<string, unknown>>;
  const folded = readFolded(state);
  if (kind === "refold") return { kind };
  if (kind === "folded" && folded !== null) return { kind, folded };
  if (kind === "decided" && Array.isArray(events)) return { kind, events, folded };
  if (kind === "rejected" && typeof reason === "string") return { kind, reason, folded };
  return null;
}

function readFolded(given: unknown): FoldedState | null {
  if (typeof given !== "object" || given === null) return null;
  const { fold, state } = given as Readonly<Record<string, unknown>>;
  return typeof fold === "string" && typeof state === "string" ? { fold, state } : null;
}
