/** What a command is: a request that a handler turns into events of one key, or declines. */
import type { ExpectedKeyVersion } from "./key-version.ts";

/** Who decides: code in this repository, or another Worker of the owner's by the binding that leads to it. */
export type CommandTarget =
  { readonly kind: "listener"; readonly name: string } | { readonly kind: "worker"; readonly binding: string };

export interface CommandDefinition {
  /** Minted in D1; one that is made anew under the name has another. */
  readonly id: string;
  readonly app: string;
  readonly name: string;
  /** Grows with each change. */
  readonly revision: number;
  /** Where its events go. */
  readonly topic: string;
  readonly target: CommandTarget;
  /** What payloads keep to: JSON Schema as it was sent; null: they may be anything. */
  readonly schema: string | null;
  /** So often it is decided at most, when others were faster. */
  readonly maxAttempts: number;
  /** For all attempts together. */
  readonly timeoutMs: number;
  readonly description: string | null;
}

/** One command as it was sent. */
export interface SentCommand {
  /** JSON. */
  readonly payload: string;
  /** Of which thing it is a command; null: of none, so there is no state and no version. */
  readonly key: string | null;
  /** What the sender expects of the key's version; null: it does not care. */
  readonly expectedKeyVersion: ExpectedKeyVersion | null;
}

/** Under whose name its events are, unless the handler says otherwise. */
export const commandSource = (appName: string, command: string): string => `/apps/${appName}/commands/${command}`;

const BACKOFF_MS = 4;
const BACKOFF_MS_MAX = 250;

/** How long to wait before attempt 2, 3, …: longer and longer, at random, so that those who raced part. */
export const backoffMs = (attempt: number, random: number): number =>
  Math.ceil(random * Math.min(BACKOFF_MS * 2 ** (attempt - 1), BACKOFF_MS_MAX));
