/** How the ledger's rows are named to the outside: ids of deliveries, and cursors over lists of them. */
import { deliveryKey } from "./keys.ts";

/** A delivery: the ledger's number for one life of one partition, and the offset in it. */
export interface DeliveryPlace {
  readonly source: number;
  readonly offset: number;
}

/** The inverse of `deliveryKey` for one subscription; null for ids of others and for every other spelling. */
export function parseDeliveryId(subscriptionId: string, id: string): DeliveryPlace | null {
  const prefix = deliveryKey(subscriptionId, 0, 0).slice(0, -"0_0".length);
  const place = parseListCursor(id.slice(prefix.length));
  return place !== null && deliveryKey(subscriptionId, place.source, place.offset) === id ? place : null;
}

/** "Everything up to and including this place has been listed." */
export const formatListCursor = ({ source, offset }: DeliveryPlace): string => `${source}_${offset}`;

/** Null for what `formatListCursor` cannot have written. */
export function parseListCursor(text: string): DeliveryPlace | null {
  const [, source, offset] = /^(\d{1,15})_(\d{1,15})$/.exec(text) ?? [];
  return offset === undefined ? null : { source: Number(source), offset: Number(offset) };
}

/** Lists go by source, then by offset. */
export const comparePlaces = (left: DeliveryPlace, right: DeliveryPlace): number =>
  left.source - right.source || left.offset - right.offset;
