/** What was noticed of an event's producer, or of a topic's reader. */
export interface Sighting {
  readonly role: "producer" | "reader";
  /** Of a reader the empty string: it reads what is there. */
  readonly type: string;
  readonly topic: string;
  /** A producer's source; `readerName` of a reader. */
  readonly who: string;
}

/** Times in milliseconds, to within `SIGHTING_RENEW_MS`. */
export interface Producer {
  readonly type: string;
  readonly topic: string;
  readonly source: string;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

export interface Reader {
  readonly topic: string;
  /** The key behind the credential; `root`. */
  readonly key: string;
  readonly by: ReadingWay;
  readonly lastSeenAt: number;
}

/** In pages (and by long poll), as a stream, on a socket. */
export type ReadingWay = "page" | "stream" | "socket";

/** Neither holds a blank. */
export const readerName = (key: string, by: ReadingWay): string => `${key} ${by}`;
