/** XADD over one connection, on which the client library sends what is asked in one turn together. */
import { createClient } from "@redis/client";
import type { Appender } from "../appender.ts";

export async function openRedisAppender(url: string, topic: string): Promise<Appender> {
  const client = createClient({ url });
  await client.connect();
  return {
    one: (draft) => client.xAdd(topic, "*", { event: draft }),
    // One transaction, as a batch to the hub is.
    many: ({ drafts }) => {
      const transaction = client.multi();
      for (const draft of drafts) transaction.xAdd(topic, "*", { event: draft });
      return transaction.exec();
    },
    close: () => client.destroy(),
  };
}
