/** What a command learns of its key from the log, and what it leaves there to learn it sooner. */

/** A command by its name, and which of its definitions: what an earlier one has folded says nothing to a later one. */
export interface SnapshotOwner {
  readonly command: string;
  readonly definition: string;
}

export interface KeySnapshot {
  /** Which code has folded it: only the same goes on from it. */
  readonly fold: string;
  /** The key's version, and the offset of its last event that is folded in. */
  readonly version: number;
  readonly offset: number;
  /** JSON. */
  readonly state: string;
}

export interface KeyStateAsk {
  /** Null: the command has none, and there is no state. */
  readonly key: string | null;
  /** The request as its append will name it. */
  readonly request: { readonly key: string; readonly fingerprint: string };
  /** Begin behind its snapshot, if there is one; null: behind `after`. */
  readonly snapshotOf: SnapshotOwner | null;
  /** The last offset that the asker has folded; 0: none. */
  readonly after: number;
}

export type KeyState =
  /** The request has come before, and this is what it appended. */
  | { readonly kind: "appended"; readonly events: readonly AppendedBefore[] }
  | {
      readonly kind: "state";
      readonly snapshot: KeySnapshot | null;
      /** The key's version now: the count of its events, those that retention took included. */
      readonly version: number;
      /** The key's events from there on, as far as a page goes: `joinLines`, and how many. */
      readonly body: string;
      readonly count: number;
      /** The last of them; where there is none, where the look began. */
      readonly through: number;
      /** Nothing stands behind them now. */
      readonly isLast: boolean;
    };

export interface AppendedBefore {
  readonly id: string;
  readonly offset: number;
  readonly keyVersion: number | null;
  readonly duplicate: true;
}
