/** The Node server of Durable Streams, with its file-backed store. */
import { DurableStreamTestServer } from "@durable-streams/server";
import { hostedPeer, type Hosted } from "../../sides/hosted.ts";

export async function startDurableStreams(persistTo: string): Promise<Hosted> {
  const server = new DurableStreamTestServer({ host: "127.0.0.1", port: 0, dataDir: persistTo });
  const url = await server.start();
  return hostedPeer(url, process.pid, () => server.stop());
}
