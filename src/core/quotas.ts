/** What an app or a key may have. What is not named has its default from limits.ts, or no bound at all. */
export interface Quotas {
  readonly requestsPerSecond?: number;
  readonly eventsPerDay?: number;
  readonly bytesPerDay?: number;
  readonly sockets?: number;
  readonly channelsPerSocket?: number;
  readonly framesPerSecond?: number;
  readonly topics?: number;
  readonly subscriptions?: number;
}

export type QuotaName = keyof Quotas;

export const APP_QUOTAS: readonly QuotaName[] = [
  "requestsPerSecond",
  "eventsPerDay",
  "bytesPerDay",
  "sockets",
  "channelsPerSocket",
  "framesPerSecond",
  "topics",
  "subscriptions",
];

/** A key narrows its app's rates; what is counted of definitions belongs to the app alone. */
export const KEY_QUOTAS: readonly QuotaName[] = ["requestsPerSecond", "eventsPerDay", "bytesPerDay", "sockets"];

/** Where a quota stands when it refuses. */
export interface QuotaState {
  readonly name: QuotaName;
  readonly limit: number;
  readonly remaining: number;
  /** The window that it is counted in, and when that ends; null for what is not counted over time. */
  readonly window: { readonly seconds: number; readonly endsInSeconds: number } | null;
}
