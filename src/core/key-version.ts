/** What a writer expects of a key: that it has exactly so many events (0: none yet), or that it has some. */
export type ExpectedKeyVersion = number | "exists";

export const meetsVersion = (expected: ExpectedKeyVersion | null, version: number): boolean =>
  expected === null || (expected === "exists" ? version > 0 : version === expected);

/** A whole number, or `"noStream"`, which is 0, or `"exists"`; null: neither. */
export function readExpectedKeyVersion(value: unknown): ExpectedKeyVersion | null {
  if (value === "exists") return value;
  if (value === "noStream") return 0;
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}

export const EXPECTED_KEY_VERSION_SAYS = 'A version is a whole number from 0, "noStream" or "exists".';
