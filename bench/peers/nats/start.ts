/** NATS with JetStream. */
import type { Hosted } from "../../sides/hosted.ts";
import { startChildServer } from "../child-server.ts";

export const startNats = (persistTo: string): Promise<Hosted> =>
  startChildServer("nats-server", "nats", (port) => [
    "--jetstream",
    "--store_dir",
    persistTo,
    "--addr",
    "127.0.0.1",
    "--port",
    String(port),
  ]);
