/** The yardsticks in the same pinned runtime, behind the same entry, with the same kind of storage as the hub. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { startRuntime } from "../sides/runtime.ts";

const NAME = "bare";

export interface Bare {
  readonly url: string;
  /** Runs SQL inside the object of one topic. */
  rows(topic: string, sql: string): Promise<unknown[]>;
  close(): Promise<void>;
}

export async function startBare(persistTo: string): Promise<Bare> {
  const source = readFileSync(join(import.meta.dirname, "worker.ts"), "utf8");
  const { miniflare, url } = await startRuntime(persistTo, {
    name: NAME,
    script: stripTypeScriptTypes(source),
    objects: { LOG: "BareLog" },
    queue: "bare",
  });
  return {
    url,
    rows: async (topic, sql) => {
      const storage = await miniflare.unsafeGetDurableObjectStorage(NAME, "BareLog", { name: topic });
      return (await storage.exec(sql)) as unknown as unknown[];
    },
    close: () => miniflare.dispose(),
  };
}
