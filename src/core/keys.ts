/** Names and keys that identify things across stores; each says what its parts buy. */
import type { HubPlace, HubProtocol, HubRegion } from "./hub-place.ts";

/**
 * The name of a Durable Object: the JSON text of a tuple, because concatenation is ambiguous
 * (`"a:b" + ":" + "c"` equals `"a" + ":" + "b:c"`, and both would be one object).
 */
export const objectName = (...parts: readonly (string | number)[]): string => JSON.stringify(parts);

export type ObjectName =
  | { readonly kind: "log"; readonly app: string; readonly topic: string; readonly partition: number }
  | { readonly kind: "subscription"; readonly app: string; readonly subscription: string }
  | { readonly kind: "presence"; readonly app: string; readonly channel: string }
  | { readonly kind: "quota"; readonly app: string }
  | { readonly kind: "batch"; readonly app: string; readonly batch: string }
  | { readonly kind: "schedules"; readonly app: string }
  | ({ readonly kind: "hub" } & HubPlace);

/** A log knows its live listeners by their names. */
export const hubName = ({ app, protocol, region, shard }: HubPlace): string =>
  objectName("hub", app, protocol, region, shard);

/** An object reads who it is from its own name. Throws on a name that `stubs.ts` did not make. */
export function parseObjectName(name: string | undefined): ObjectName {
  const [kind, app, ...rest] = JSON.parse(name ?? "[]") as [string, string, ...(string | number)[]];
  if (kind === "log") return { kind, app, topic: rest[0] as string, partition: rest[1] as number };
  if (kind === "quota" || kind === "schedules") return { kind, app };
  if (kind === "subscription") return { kind, app, subscription: rest[0] as string };
  if (kind === "batch") return { kind, app, batch: rest[0] as string };
  if (kind === "presence") return { kind, app, channel: rest[0] as string };
  if (kind === "hub") {
    const [protocol, region, shard] = rest as [HubProtocol, HubRegion, number];
    return { kind, app, protocol, region, shard };
  }
  throw new Error(`not a name of ours: ${name}`);
}

/** Of a hub by its name; throws on any other. */
export function hubPlaceOf(name: string | undefined): HubPlace {
  const place = parseObjectName(name);
  if (place.kind !== "hub") throw new Error(`a hub cannot be named ${name}`);
  return place;
}

/**
 * `webhook-id`: the subscription, the ledger's number for one life of one
 * partition, the offset in it. Stable over attempts and redrives; never reused, because none of the three is. No dots
 * (Standard Webhooks signs `id.timestamp.body`).
 */
export const deliveryKey = (subscriptionId: string, source: number, offset: number): string =>
  `msg_${subscriptionId}_${source}_${offset}`;

/**
 * `webhook-id` of a batch. The digest is one of its deliveries: repeated as it was it keeps its id, and what goes again
 * after a part of it failed is another batch.
 */
export const batchKey = (subscriptionId: string, digest: string): string => `bat_${subscriptionId}_${digest}`;

/**
 * What a listener's effects are kept under, beside the subscription: the event itself, so that they happen once however
 * many deliveries a seek or a replay makes of it.
 */
export const effectKey = (topic: string, partition: number, epoch: number, offset: number): string =>
  JSON.stringify([topic, partition, epoch, offset]);

/** Who asked for what: one principal's key on one route never meets another's. */
export const idempotencyScope = (app: string, principal: string, method: string, path: string): string =>
  JSON.stringify([app, principal, method, path]);

/** An event's identity for deduplication: ids are unique only within their source (CloudEvents 1.0, §3.1). */
export const eventIdentity = (source: string, id: string): string => JSON.stringify([id, source]);

/** What a sealed secret is bound to: moved into another subscription's definition, or another header, it stays shut. */
export const webhookSecretContext = (subscriptionId: string): string => `webhook:${subscriptionId}`;

export const webhookHeaderContext = (subscriptionId: string, name: string): string =>
  `webhook:${subscriptionId}:${name.toLowerCase()}`;
