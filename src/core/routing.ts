/** Which partition an event goes to. The same key meets the same partition in every release: that is its order. */

/** FNV-1a over UTF-16 units, 32 bits. Never change it: events of one key would part. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

export interface RoutedDraft {
  readonly id: string | null;
  readonly key: string | null;
}

/**
 * By the key, else by the client's id and by the request's key and index, so that a repeat meets its first try;
 * else in turn (`turn` is any counter).
 */
export function choosePartition(
  draft: RoutedDraft,
  index: number,
  requestKey: string | null,
  turn: number,
  partitions: number,
): number {
  if (partitions === 1) return 0;
  const text = draft.key ?? draft.id ?? (requestKey === null ? null : `${requestKey}\n${index}`);
  return text === null ? (turn + index) % partitions : hash(text) % partitions;
}
