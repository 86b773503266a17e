/** A target's answer, read no further than it is of use: to keep the connection, and to show an operator why. */
import { LIMITS } from "../core/limits.ts";

/** The beginning as text; what is not UTF-8 shows as U+FFFD. Rejects when the connection breaks or the time is up. */
export async function readExcerpt(response: Response): Promise<string> {
  if (response.body === null) return "";
  const kept = new Uint8Array(LIMITS.RESPONSE_KEPT_BYTES_MAX);
  let keptBytes = 0;
  let readBytes = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(0, kept.length - keptBytes);
    kept.set(part, keptBytes);
    keptBytes += part.length;
    readBytes += value.length;
    if (readBytes >= LIMITS.RESPONSE_READ_BYTES_MAX) {
      await reader.cancel();
      break;
    }
  }
  // A character cut in two at the end is left out, not shown as broken.
  return new TextDecoder().decode(kept.subarray(0, keptBytes), { stream: true });
}
