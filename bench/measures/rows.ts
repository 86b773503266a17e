/**
 * Rows written per event, which is most of what an event costs: SQLite's own count of rows inserted, updated and
 * deleted in the log's object. It does not see index entries (the tables on this path have none) nor the alarm.
 */
import { formatBatch } from "../client/events.ts";
import { twoSides, type Measure } from "../compare.ts";

const TOPIC = "rows";
const BATCH_EVENTS = 100;

export const rows: Measure = {
  name: "rows",
  says: `rows written by requests of ${BATCH_EVENTS} events, one request at a time`,
  sit: (sizes, kinds) =>
    twoSides(kinds, async (side) => ({
      block: async () => {
        const publish = (request: number): Promise<Buffer> =>
          side.http.post(side.dialect.publishMany(TOPIC), formatBatch(request * BATCH_EVENTS, BATCH_EVENTS, 0));
        await publish(0); // The object is awake and the topic made before the first count.
        const before = await side.rowsWritten({ of: "log", topic: TOPIC });
        for (let request = 0; request < sizes.rowsRequests; request += 1) await publish(request);
        const after = await side.rowsWritten({ of: "log", topic: TOPIC });
        return { "rows/event": (after - before) / (sizes.rowsRequests * BATCH_EVENTS) };
      },
    })),
};
