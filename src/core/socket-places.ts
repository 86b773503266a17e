/**
 * A quota of sockets over many hubs. Each hub holds places, and lets in as many sockets as it holds; the app's meter
 * alone gives places, one hub at a time. So together they never hold more than the quota, and whoever is refused was
 * counted against the sockets that are really there: before that every hub gives back what it does not use.
 */

/** Whose quota: the app's, or one key's, by its id. */
export interface PlaceAsk {
  readonly subject: string;
  readonly limit: number;
  /** Places that the hub must hold, those that it has included. */
  readonly needed: number;
}

export interface HeldPlaces {
  readonly subject: string;
  /** Given under another limit, they are not worth anything. */
  readonly limit: number;
  readonly places: number;
}

/** What one hub has of a subject at a moment. */
export interface HubPlaces {
  readonly sockets: number;
  /** Upgrades that are under way. */
  readonly waiting: number;
  /** Places that the meter has given, as far as the hub remembers. */
  readonly held: number;
}

/** Few enough that hubs seldom have to ask, and seldom to give back. */
const SPARE_PARTS = 10;

/** How many places the asking hub gets; null: as many as it needs are not left. `others`: what the others hold. */
export function givePlaces({ limit, needed }: PlaceAsk, others: number, hubs: number): number | null {
  const left = limit - others - needed;
  return left < 0 ? null : needed + Math.floor(left / (SPARE_PARTS * Math.max(1, hubs)));
}

/** What a hub goes on holding when it is asked to give back: what is used, or about to be by those on their way. */
export const keepPlaces = ({ sockets, waiting, held }: HubPlaces): number =>
  Math.max(sockets, Math.min(held, sockets + waiting));
