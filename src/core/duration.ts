const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `"500ms" "30s" "5m" "2h" "7d"` in milliseconds; null for anything else, negative and fractional numbers included. */
export function parseDurationMs(text: unknown): number | null {
  if (typeof text !== "string") return null;
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/** The inverse, in the largest unit that leaves no remainder. */
export function formatDuration(durationMs: number): string {
  const unit =
    (["d", "h", "m", "s"] as const).find((name) => durationMs > 0 && durationMs % UNIT_MS[name] === 0) ?? "ms";
  return `${durationMs / UNIT_MS[unit]}${unit}`;
}
