/** What the hub tells of its own part in a trace, where its owner exports traces. */
export interface Span {
  /** 32 and 16 hexadecimal digits, as in a traceparent. */
  readonly traceId: string;
  readonly spanId: string;
  /** Null: the trace begins with it. */
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: "producer" | "consumer";
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What went wrong; null: nothing did. */
  readonly error: string | null;
}

/** `random`: 8 bytes of chance. */
export const spanIdOf = (random: Uint8Array): string =>
  [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
