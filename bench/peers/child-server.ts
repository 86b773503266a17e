/** A server that is a program of its own: started on a free port of loopback, awaited, and ended with its host. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { hostedPeer, type Hosted } from "../sides/hosted.ts";
import { findProgram } from "./peers.ts";

const PATIENCE_MS = 10_000;
const RETRY_MS = 50;

/** `scheme` of the address that its client is given; `args` for the port that it is to listen on. */
export async function startChildServer(
  program: string,
  scheme: string,
  args: (port: number) => readonly string[],
): Promise<Hosted> {
  const path = findProgram(program);
  if (path === null) throw new Error(`${program} is not installed`);
  const port = await findFreePort();
  const child = spawn(path, args(port), { stdio: "ignore" });
  const ended = once(child, "exit");
  process.once("exit", () => child.kill("SIGKILL"));
  try {
    await Promise.race([
      accepts(port),
      ended.then(([code]) => Promise.reject(new Error(`${program} ended with ${String(code)}`))),
    ]);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return hostedPeer(`${scheme}://127.0.0.1:${port}`, child.pid!, async () => {
    child.kill("SIGTERM");
    await ended;
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once something listens there. */
async function accepts(port: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => {
      setTimeout(resolve, RETRY_MS);
    });
  }
  throw new Error(`nothing listens on port ${port} after ${PATIENCE_MS} ms`);
}
