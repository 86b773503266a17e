/** What the platform bills that the code decides: counted, never estimated. CPU and duration are the machine's. */

export interface Units {
  /** Of the Worker: HTTP, WebSocket upgrades, queue invocations, the cron. */
  readonly workerRequests: number;
  /** Calls of objects, their alarms, and a twentieth of each message that came over a socket. */
  readonly objectRequests: number;
  /** Of objects and D1, entries of indexes included. */
  readonly rowsRead: number;
  /** Likewise; and an alarm that is set. */
  readonly rowsWritten: number;
  /** Each write, read and delete of a message, per 64 KB. */
  readonly queueOperations: number;
}

export const NOTHING: Units = {
  workerRequests: 0,
  objectRequests: 0,
  rowsRead: 0,
  rowsWritten: 0,
  queueOperations: 0,
};

export const UNIT_NAMES = Object.keys(NOTHING) as readonly (keyof Units)[];

const map = (change: (name: keyof Units) => number): Units =>
  Object.fromEntries(UNIT_NAMES.map((name) => [name, change(name)])) as unknown as Units;

export const unitsBetween = (before: Units, after: Units): Units => map((name) => after[name] - before[name]);

export const unitsPer = (units: Units, count: number): Units => map((name) => units[name] / count);

/** Dollars for a million, on the paid plan, over what it includes (Cloudflare's price list as of November 2026). */
export const DOLLARS_PER_MILLION: Units = {
  workerRequests: 0.3,
  objectRequests: 0.15,
  rowsRead: 0.001,
  rowsWritten: 1,
  queueOperations: 0.4,
};

export const dollarsOf = (units: Units): number =>
  UNIT_NAMES.reduce((sum, name) => sum + (units[name] * DOLLARS_PER_MILLION[name]) / 1_000_000, 0);
