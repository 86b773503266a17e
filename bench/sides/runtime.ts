/** One Worker in the pinned runtime, behind the same entry and with the same kind of storage as the hub. */
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { REPOSITORY } from "../../test/harness/bundle.ts";
import { childrenOf } from "../../test/harness/proc.ts";

export interface RuntimeWorker {
  readonly name: string;
  /** JavaScript, in one module. */
  readonly script: string;
  /** Classes by binding. */
  readonly objects: Readonly<Record<string, string>>;
  /** A queue of the Worker's own, bound as QUEUE. */
  readonly queue?: string;
  /** Asked at its own socket, without what a local run puts before it for the platform. */
  readonly direct?: boolean;
}

export interface Runtime {
  readonly miniflare: Miniflare;
  readonly url: string;
}

export async function startRuntime(persistTo: string, worker: RuntimeWorker): Promise<Runtime> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(REPOSITORY, "wrangler.toml"));
  const { compatibilityDate, assets } = workerOptions as { compatibilityDate: string; assets: { directory: string } };
  const { name, script, objects, queue, direct = false } = worker;
  const durableObjects = Object.entries(objects).map(([binding, className]) => [
    binding,
    { className, useSQLite: true },
  ]);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        {
          name,
          modules: [{ type: "ESModule", path: "worker.js", contents: script }],
          // Behind the entry requests pass the hub's router for static files, in local runs as much as a small Worker.
          ...(direct ? { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] } : { assets }),
          compatibilityDate,
          durableObjects: Object.fromEntries(durableObjects),
          ...(queue === undefined ? {} : queueOf(queue)),
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
  return { miniflare, url: direct ? (await miniflare.unsafeGetDirectURL(name)).origin : origin };
}

const queueOf = (name: string) => ({
  queueProducers: { QUEUE: { queueName: name } },
  queueConsumers: { [name]: { maxBatchSize: 100, maxBatchTimeout: 0, maxRetries: 3 } },
});

/** Of the runtime under this process. */
export function runtimePid(): number {
  const [pid] = childrenOf(process.pid, "workerd");
  if (pid === undefined) throw new Error("no runtime stands under this process");
  return pid;
}
