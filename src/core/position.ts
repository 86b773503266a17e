/** Where a reader begins: the `from` of reads, sockets and SSE. */
import { parseCursor, type Cursor } from "./cursor.ts";
import { fail, ok, type Result } from "./result.ts";
import { parseTimestampMs } from "./timestamp.ts";

export type Position =
  | { readonly kind: "earliest" }
  | { readonly kind: "latest" }
  /** Includes the offset. */
  | { readonly kind: "offset"; readonly offset: number }
  /** From the first event appended at or after it, milliseconds since 1970. */
  | { readonly kind: "time"; readonly at: number }
  /** After the cursor. */
  | { readonly kind: "cursor"; readonly cursor: Cursor };

/** `earliest`, `latest`, `offset:N`, `time:RFC3339` or `cursor:C`. */
export function parsePosition(text: string): Result<Position> {
  if (text === "earliest" || text === "latest") return ok({ kind: text });
  const [, kind, value] = /^(offset|time|cursor):(.*)$/s.exec(text) ?? [];
  switch (kind) {
    case "offset": {
      const offset = /^\d{1,16}$/.test(value!) ? Number(value) : 0;
      if (offset < 1 || !Number.isSafeInteger(offset))
        return fail("parameter_invalid", "An offset is a whole number from 1.");
      return ok({ kind, offset });
    }
    case "time": {
      const at = parseTimestampMs(value!);
      return at === null ? fail("parameter_invalid", "A time is written as in RFC 3339.") : ok({ kind, at });
    }
    case "cursor": {
      const cursor = parseCursor(value!);
      return cursor === null ? fail("cursor_invalid") : ok({ kind, cursor });
    }
    default:
      return fail("parameter_invalid", "`from` is earliest, latest, offset:N, time:RFC3339 or cursor:C.");
  }
}
