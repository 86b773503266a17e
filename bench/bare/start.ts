/** The yardsticks in the same pinned runtime, behind the same entry, with the same kind of storage as the hub. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { REPOSITORY } from "../../test/harness/bundle.ts";

const NAME = "bare";

export interface Bare {
  readonly url: string;
  /** Runs SQL inside the object of one topic. */
  rows(topic: string, sql: string): Promise<unknown[]>;
  close(): Promise<void>;
}

export async function startBare(persistTo: string): Promise<Bare> {
  const source = readFileSync(join(import.meta.dirname, "worker.ts"), "utf8");
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(REPOSITORY, "wrangler.toml"));
  const { compatibilityDate, assets } = workerOptions as { compatibilityDate: string; assets: { directory: string } };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name: NAME,
          modules: [{ type: "ESModule", path: "worker.js", contents: stripTypeScriptTypes(source) }],
          // Requests pass the same router for static files, which costs as much as a small Worker in local runs.
          assets,
          compatibilityDate,
          durableObjects: { LOG: { className: "BareLog", useSQLite: true } },
          queueProducers: { QUEUE: { queueName: "bare" } },
          queueConsumers: { bare: { maxBatchSize: 100, maxBatchTimeout: 0, maxRetries: 3 } },
        },
      ],
      host: "127.0.0.1",
      port: 0,
      cf: false,
      unsafeInspectDurableObjects: true,
      resourcePersistencePath: persistTo,
    }),
  );
  const { origin } = await miniflare.ready;
  return {
    url: origin,
    rows: async (topic, sql) => {
      const storage = await miniflare.unsafeGetDurableObjectStorage(NAME, "BareLog", { name: topic });
      return (await storage.exec(sql)) as unknown as unknown[];
    },
    close: () => miniflare.dispose(),
  };
}
