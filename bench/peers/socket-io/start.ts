/** A Socket.IO server that emits to all what is posted. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Server } from "socket.io";
import { hostedPeer, type Hosted } from "../../sides/hosted.ts";

/** No ping falls into a measurement; the client of the bench answers none. */
const PING_MS = 3_600_000;

export async function startSocketIo(): Promise<Hosted> {
  const http = createServer();
  const io = new Server(http, { transports: ["websocket"], pingInterval: PING_MS, serveClient: false });
  http.on("request", (request, response) => {
    if (request.method !== "POST") return;
    void readEvent(request).then((event) => {
      io.emit("event", event);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return hostedPeer(url, process.pid, async () => {
    http.closeAllConnections();
    await io.close();
  });
}

/** As a value: a text would reach the readers as JSON within JSON. */
const readEvent = async (request: IncomingMessage): Promise<unknown> => JSON.parse(await text(request));
