/** A target's answer, read no further than it is of use: to keep the connection, and to show an operator why. */
import { LIMITS } from "../core/limits.ts";

/** The beginning as text; what is not UTF-8 shows as U+FFFD. Rejects when the connection breaks or the time is up. */
export const readExcerpt = async (response: Response): Promise<string> =>
  (await readStart(response, LIMITS.RESPONSE_KEPT_BYTES_MAX)).text;

/** The beginning of at most `keptMax` bytes; `isWhole`: there were no more. */
export async function readStart(
  response: Response,
  keptMax: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  if (response.body === null) return { text: "", isWhole: true };
  const kept = new Uint8Array(keptMax);
  let keptBytes = 0;
  let readBytes = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: textOf(kept.subarray(0, keptBytes)), isWhole: keptBytes === readBytes };
    const part = value.subarray(0, kept.length - keptBytes);
    kept.set(part, keptBytes);
    keptBytes += part.length;
    readBytes += value.length;
    if (readBytes >= LIMITS.RESPONSE_READ_BYTES_MAX) {
      await reader.cancel();
      return { text: textOf(kept.subarray(0, keptBytes)), isWhole: false };
    }
  }
}

/** A character cut in two at the end is left out, not shown as broken. */
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes, { stream: true });
