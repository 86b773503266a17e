/** Publishes to a stream in files, each acknowledged by the stream. A batch is so many publishes: it knows no other. */
import { jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { Appender } from "../appender.ts";

export async function openNatsAppender(url: string, topic: string): Promise<Appender> {
  const connection = await connect({ servers: url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: topic, subjects: [topic], storage: StorageType.File });
  const stream = jetstream(connection);
  return {
    one: (draft) => stream.publish(topic, draft),
    many: ({ drafts }) => Promise.all(drafts.map((draft) => stream.publish(topic, draft))),
    close: () => void connection.close(),
  };
}
