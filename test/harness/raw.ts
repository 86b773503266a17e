/** HTTP as no client writes it: bytes on a socket, and what came back. */
import { connect } from "node:net";

export interface RawAnswer {
  /** Of the last answer; null when the connection ended without one. */
  readonly status: number | null;
  /** All that came, as Latin-1. */
  readonly text: string;
  /** False when neither an answer nor an end came in time. */
  readonly ended: boolean;
}

export interface RawOptions {
  /** Says that nothing more will be sent, once everything is. */
  readonly halfClose?: boolean;
  readonly withinMs?: number;
}

/** Sends the parts one behind the other. Resolves at the first whole answer's end, when the hub closes, or at the time. */
export function sendRaw(
  url: string,
  parts: readonly (string | Uint8Array)[],
  { halfClose = false, withinMs = 10_000 }: RawOptions = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(Number(port), hostname);
    const end = (ended: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]));
      resolve({ status: statuses.at(-1) ?? null, text, ended });
    };
    const timer = setTimeout(() => end(false), withinMs);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (isWhole(text)) end(true);
    });
    socket.on("close", () => end(true));
    socket.on("error", () => end(true)); // A reset: the hub had heard enough.
    socket.on("connect", () => {
      for (const part of parts) socket.write(part);
      if (halfClose) socket.end();
    });
  });
}

/** The head is there, and as much of the body as it announces. */
function isWhole(text: string): boolean {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = text.slice(0, headEnd);
  const body = text.slice(headEnd + 4);
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length);
  return /^transfer-encoding: chunked/im.test(head) ? body.endsWith("0\r\n\r\n") : false;
}
