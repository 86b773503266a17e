/**
 * Hosts one side in a process of its own, so that what a side writes to its console is read here and never slows the
 * client that measures it.
 */
import { objectName } from "../../src/core/keys.ts";
import { ROOT_KEY, startHub, type Hub } from "../../test/harness/hub.ts";
import { DETAILED_SCHEMA, DETAILED_TYPE } from "../client/events.ts";
import { startBare, type Bare } from "../bare/start.ts";
import { peerStarts } from "../peers/starts.ts";
import type { Hosted } from "./hosted.ts";
import type { HostAnswer, HostRequest, SideKind } from "./messages.ts";
import { runtimePid } from "./runtime.ts";

const starts: Record<SideKind, (persistTo: string) => Promise<Hosted>> = {
  bare: async (persistTo) => bareSide(await startBare(persistTo)),
  table: async (persistTo) => bareSide(await startBare(persistTo)),
  six: async (persistTo) => bareSide(await startBare(persistTo)),
  signed: async (persistTo) => bareSide(await startBare(persistTo)),
  hub: async (persistTo) => hostedBy(await startHub({ persistTo }), ROOT_KEY),
  engine: async (persistTo) => hostedBy(await startHub({ persistTo, entry: "bench/engine/worker.ts" }), ROOT_KEY),
  direct: async (persistTo) => hostedBy(await startHub({ persistTo, direct: true }), ROOT_KEY),
  keyed: async (persistTo) => {
    const hub = await startHub({ persistTo });
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "bench", scopes: ["publish:**"] });
    return hostedBy(hub, body.key);
  },
  enforced: async (persistTo) => {
    const hub = await startHub({ persistTo });
    await hub.json("PUT", `/v1/schemas/${DETAILED_TYPE}`, { schema: DETAILED_SCHEMA });
    await hub.json("PUT", "/v1/topics/orders", { schemaPolicy: "enforce" });
    const { status } = await hub.publish("orders", { type: DETAILED_TYPE, data: {} });
    if (status !== 422) throw new Error(`the schema is not enforced: ${status}`);
    return hostedBy(hub, ROOT_KEY);
  },
  tree: async (persistTo) => hostedBy(await startHub({ persistTo, vars: { HUB_SOCKETS_PLAN: "250" } }), ROOT_KEY),
  open: async (persistTo) => hostedBy(await startHub({ persistTo, entry: "bench/open/worker.ts" }), ROOT_KEY),
  ...peerStarts,
};

const hostedBy = (hub: Hub, token: string): Hosted => ({
  url: hub.url,
  token,
  runtimePid: runtimePid(),
  rows: async (tables, sql) => {
    if (tables.of === "log") return hub.rows("TopicLog", objectName("log", "app_default", tables.topic, 0), sql);
    const find = "SELECT id FROM subscriptions WHERE name = ?";
    const id = await (await hub.database()).prepare(find).bind(tables.subscription).first<string>("id");
    return hub.rows("Subscription", objectName("subscription", "app_default", id!), sql);
  },
  close: () => hub.close(),
});

/** It keeps no account of what it delivers but its log. */
const bareSide = ({ url, rows, close }: Bare): Hosted => ({
  url,
  token: "",
  runtimePid: runtimePid(),
  rows: async (tables, sql) => rows(tables.topic, sql),
  close,
});

let hosted: Hosted | undefined;

async function answer(request: HostRequest): Promise<HostAnswer> {
  switch (request.kind) {
    case "start": {
      hosted = await starts[request.side](request.persistTo);
      const { url, token, runtimePid: pid } = hosted;
      return { kind: "started", url, token, runtimePid: pid };
    }
    case "rows-written": {
      const [row] = (await hosted!.rows(request.tables, "SELECT total_changes() AS rows")) as { rows: number }[];
      return { kind: "rows-written", rows: row!.rows };
    }
    case "stop":
      await hosted?.close(); // A side that did not start has nothing to close.
      return { kind: "stopped" };
  }
}

process.on("message", (request: HostRequest) => {
  answer(request)
    .catch((error: unknown): HostAnswer => ({ kind: "failed", reason: String(error) }))
    .then((message) => process.send!(message));
});
// The bench was ended from outside: the runtime must not outlive it.
process.on("disconnect", () => process.exit());
