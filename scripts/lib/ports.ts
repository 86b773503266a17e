import { createServer, type AddressInfo } from "node:net";

/** Whether a listener on 127.0.0.1 could have this port now. */
export const isPortFree = async (port: number): Promise<boolean> => (await tryPort(port)) !== null;

/** A port that nobody held a moment ago. */
export async function findFreePort(): Promise<number> {
  const port = await tryPort(0);
  if (port === null) throw new Error("no port is free on 127.0.0.1");
  return port;
}

const tryPort = (port: number): Promise<number | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => {
      const { port: given } = server.address() as AddressInfo;
      server.close(() => resolve(given));
    });
  });
