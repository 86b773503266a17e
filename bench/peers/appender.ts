/** One way to append to any side: HTTP where it speaks it, else the client library of the peer. */
import type { Side } from "../sides/side.ts";

export interface Batch {
  readonly drafts: readonly string[];
  /** The same as a JSON array. */
  readonly body: string;
}

/** Each promise resolves when the side has said that it took what was sent. */
export interface Appender {
  one(draft: string): Promise<unknown>;
  many(batch: Batch): Promise<unknown>;
  close(): void;
}

export async function openAppender(side: Side, topic: string): Promise<Appender> {
  switch (side.kind) {
    case "redis-always":
    case "redis-everysec":
      return (await import("./redis/appender.ts")).openRedisAppender(side.url, topic);
    case "nats":
      return (await import("./nats/appender.ts")).openNatsAppender(side.url, topic);
    default:
      return httpAppender(side, topic);
  }
}

const httpAppender = ({ http, dialect }: Side, topic: string): Appender => ({
  one: (draft) => http.post(dialect.publishOne(topic), draft),
  many: ({ body }) => http.post(dialect.publishMany(topic), body),
  close: () => undefined,
});
