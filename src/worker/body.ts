/** Reads a request's body as text, within its limit whatever Content-Length says, and only as real UTF-8. */
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";

/** Failures: `content_type_unsupported` for an encoding, `body_too_large`, `body_incomplete`, `encoding_invalid`. */
export async function readText(request: Request, bytesMax: number = LIMITS.REQUEST_BYTES_MAX): Promise<Result<string>> {
  const bytes = await readBytes(request, bytesMax);
  return bytes.ok ? decodeUtf8(bytes.value) : bytes;
}

export async function readBytes(
  request: Request,
  bytesMax: number = LIMITS.REQUEST_BYTES_MAX,
): Promise<Result<Uint8Array>> {
  const refusal = refuseUnread(request, bytesMax);
  if (refusal !== null) return refusal;
  try {
    return await readWithin(request, bytesMax);
  } catch {
    // The connection broke, or what came over it was not HTTP: nothing was done with what had come.
    return fail("body_incomplete");
  }
}

async function readWithin(request: Request, bytesMax: number): Promise<Result<Uint8Array>> {
  if (request.body === null) return ok(new Uint8Array());
  // With a length the transport has already bounded the body; without one it is counted as it comes.
  if (request.headers.has("content-length")) return ok(new Uint8Array(await request.arrayBuffer()));
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > bytesMax) return fail("body_too_large", undefined, { limit: bytesMax, actual: length });
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return ok(bytes);
}

/** A byte order mark is kept, so that JSON refuses it. */
export function decodeUtf8(bytes: Uint8Array): Result<string> {
  try {
    return ok(decoder.decode(bytes));
  } catch {
    return fail("encoding_invalid", "The body is not UTF-8.");
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What can be refused by the headers alone. A compressed body is refused: it could be a thousand times its size. */
export function refuseUnread(request: Request, bytesMax: number): Result<never> | null {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity")
    return fail("content_type_unsupported", "Send the body without Content-Encoding.");
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > bytesMax) return fail("body_too_large", undefined, { limit: bytesMax, actual: length });
  return null;
}
