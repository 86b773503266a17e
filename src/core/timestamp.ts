const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339 in milliseconds since 1970; null for what is not one. Days that a month does not have are refused. */
export function parseTimestampMs(text: string): number | null {
  const match = RFC_3339.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match.map(Number) as number[];
  const inRange = month! >= 1 && month! <= 12 && hour! <= 23 && minute! <= 59 && second! <= 59;
  if (!inRange || day! < 1 || day! > daysInMonth(year!, month!)) return null;
  const at = Date.parse(text.toUpperCase());
  return Number.isNaN(at) ? null : at;
}

// The calendar repeats every 400 years, and Date.UTC reads the years 0 to 99 as those of the 20th century.
const daysInMonth = (year: number, month: number): number =>
  new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
