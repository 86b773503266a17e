/** Text with stars, each for any text or none: matched piece by piece, without going back. */

/** What stands between the stars, the escapes undone. */
export type Wildcard = readonly string[];

/** Null for two stars together, or a backslash before anything but a star or a backslash. */
export function parseWildcard(text: string): Wildcard | null {
  const pieces = [""];
  let star = false;
  for (let index = 0; index < text.length; index += 1) {
    let character = text[index]!;
    if (character === "*") {
      if (star) return null;
      star = true;
      pieces.push("");
      continue;
    }
    if (character === "\\") {
      index += 1;
      character = text[index] ?? "";
      if (character !== "*" && character !== "\\") return null;
    }
    star = false;
    pieces[pieces.length - 1] += character;
  }
  return pieces;
}

/** The first piece begins the text, the last one ends it, the others follow each other as early as they can. */
export function matchesWildcard(pieces: Wildcard, text: string): boolean {
  const first = pieces[0]!;
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1)!;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}
