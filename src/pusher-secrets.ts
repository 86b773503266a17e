/** The secrets with which Pusher's libraries sign: minted with a key and its rotations, sealed, opened to compare. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readConfig, type Config } from "./config.ts";
import type { Env } from "./env.ts";
import { keyringOf, openSecret, sealSecret } from "./sealing.ts";

const SECRET_BYTES = 32;

export interface MintedPusherSecret {
  /** In hex. Shown once. */
  readonly shown: string;
  readonly sealed: string;
}

export async function mintPusherSecret(config: Config, keyId: string): Promise<MintedPusherSecret> {
  const shown = randomBytes(SECRET_BYTES).toString("hex");
  return { shown, sealed: await sealSecret(keyringOf(config), contextOf(keyId), shown) };
}

const contextOf = (keyId: string): string => `pusher:${keyId}`;

/** What a key's row says of them. */
export interface PusherKey {
  readonly id: string;
  readonly pusherSecret: string | null;
  readonly previousPusherSecret: string | null;
  /** Milliseconds. */
  readonly previousUntil: number | null;
}

interface GoodSecret {
  readonly secret: string;
  /** Milliseconds: when it stops being good though its key goes on; null: not before the key. */
  readonly until: number | null;
}

/** Those of the key that are good now, the newest first; none when it has none, or nothing opens them. */
export async function pusherSecretsOf(env: Env, record: PusherKey, now: number): Promise<readonly GoodSecret[]> {
  const { pusherSecret, previousPusherSecret, previousUntil } = record;
  const good: GoodSecret[] = [];
  if (pusherSecret !== null) await open(env, record.id, pusherSecret, null, good);
  if (previousPusherSecret !== null && previousUntil !== null && previousUntil > now)
    await open(env, record.id, previousPusherSecret, previousUntil, good);
  return good;
}

async function open(env: Env, keyId: string, sealed: string, until: number | null, into: GoodSecret[]): Promise<void> {
  const known = openedBySealed.get(sealed);
  const secret = known ?? (await openSecret(keyringOf(readConfig(env)), contextOf(keyId), sealed));
  if (secret === null) return;
  if (openedBySealed.size >= OPENED_MAX) openedBySealed.clear();
  openedBySealed.set(sealed, secret);
  into.push({ secret, until });
}

/** Every private channel of every client asks for the same few. */
const OPENED_MAX = 1_000;
const openedBySealed = new Map<string, string>();

/** The secret that has signed so; null: none of them. */
export function signerOf(secrets: readonly GoodSecret[], content: string, hex: string): GoodSecret | null {
  const given = encoder.encode(/^[0-9a-f]{64}$/.test(hex) ? hex : NOBODYS_HEX);
  return secrets.find(({ secret }) => timingSafeEqual(encoder.encode(hmacHex(secret, content)), given)) ?? null;
}

/** What nothing is signed as. */
const NOBODYS_HEX = "-".repeat(64);

export const hmacHex = (secret: string, content: string): string =>
  createHmac("sha256", secret).update(content).digest("hex");

const encoder = new TextEncoder();
