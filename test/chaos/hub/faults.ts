/** What is wrong with the world that the hub under test lives in. Shares are in [0, 1]. */

export interface Faults {
  /** How far the hub's clock is ahead of the machine's, milliseconds; negative: behind it. */
  readonly skewMs: number;
  /** Messages that are lost, that come twice, and how late each may come, so that they overtake each other. */
  readonly queueDrops: number;
  readonly queueDoubles: number;
  readonly queueLateMs: number;
  /** Calls of the database that fail: half of them after they have been carried out. */
  readonly databaseFails: number;
  /** Calls of objects whose answer never arrives. */
  readonly answersLost: number;
  /** Of those, only what ledgers answer to consumers that settle. */
  readonly settlesLost: number;
  /** Calls after which the object loses its memory, its caller its answer, and what is not committed its rows. */
  readonly aborts: number;
  /** The bug that is planted, by its name; null: none. */
  readonly planted: string | null;
}

export const CALM: Faults = {
  skewMs: 0,
  queueDrops: 0,
  queueDoubles: 0,
  queueLateMs: 0,
  databaseFails: 0,
  answersLost: 0,
  settlesLost: 0,
  aborts: 0,
  planted: null,
};

/** Where the faulty hub is told of its faults: a POST of a `Faults` as JSON. */
export const FAULTS_PATH = "/v1/chaos-faults";
