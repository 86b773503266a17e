/**
 * In which hub a socket ends. Hubs stand near their sockets, one or more of a region; a hub that has as many as it
 * should says so, and the next is tried, at last one that is new.
 */
import { LIMITS } from "./limits.ts";

/** What a hub's sockets speak: an object has one automatic answer to pings, so each protocol has its own hubs. */
export type HubProtocol = "native" | "pusher";

/** The platform's hints of location, of which a continent selects one; `any`: wherever the first request comes from. */
export type HubRegion = "any" | "afr" | "apac" | "enam" | "oc" | "sam" | "weur";

export interface HubPlace {
  readonly app: string;
  readonly protocol: HubProtocol;
  readonly region: HubRegion;
  /** From 0, within the region. */
  readonly shard: number;
}

const REGION_BY_CONTINENT: Readonly<Record<string, HubRegion>> = {
  AF: "afr",
  AS: "apac",
  EU: "weur",
  NA: "enam",
  OC: "oc",
  SA: "sam",
};

/** `continent` as the platform names it at a request; local runs and Antarctica have none of ours. */
export const regionOf = (continent: string | undefined): HubRegion => REGION_BY_CONTINENT[continent ?? ""] ?? "any";

/** What is known of one app's hubs in one region, for one socket that wants in. */
export interface KnownShards {
  readonly shards: readonly number[];
  /** Those that have said that they are full. */
  readonly full: ReadonlySet<number>;
  /** Read for this socket, and not remembered. */
  readonly areCurrent: boolean;
}

export type ShardChoice =
  | { readonly kind: "enter"; readonly shard: number }
  /** Somebody else may have made one. */
  | { readonly kind: "look" }
  | { readonly kind: "make"; readonly shard: number }
  | { readonly kind: "refuse" };

/** `random` in [0, 1) spreads the sockets over all that have room. */
export function chooseShard({ shards, full, areCurrent }: KnownShards, random: number): ShardChoice {
  const open = shards.filter((shard) => !full.has(shard));
  if (open.length > 0) return { kind: "enter", shard: open[Math.floor(random * open.length)]! };
  if (!areCurrent) return { kind: "look" };
  const next = Math.max(-1, ...shards) + 1;
  return next < LIMITS.REGION_HUBS_MAX ? { kind: "make", shard: next } : { kind: "refuse" };
}
