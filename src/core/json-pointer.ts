/** One member's name as it stands in a JSON Pointer (RFC 6901, §3). */
export const escapePointer = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
