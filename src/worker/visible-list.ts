/** Lists by name of what a credential may see: neither a page nor its cursor tells a name that it may not. */
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { keyringOf, openSecret, sealSecret } from "../sealing.ts";
import type { HubContext } from "./context.ts";
import { readListQuery, SEALED_CURSOR } from "./list-query.ts";

export interface NamedList<Item> {
  nameOf(item: Item): string;
  isVisible(item: Item): boolean;
  /** By name, after `after`. */
  read(after: string, limit: number): Promise<Item[]>;
}

export interface VisiblePage<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | null;
}

/**
 * Looks past what is not theirs until the page is full or `PAGE_EXAMINED_MAX` are looked at. The cursor is the last
 * name that was shown; where the page ends on one that was not, it is sealed.
 */
export async function listVisible<Item>(c: HubContext, list: NamedList<Item>): Promise<Result<VisiblePage<Item>>> {
  const query = readListQuery(c);
  if (!query.ok) return query;
  const { limit } = query.value;
  let after = await openCursor(c, query.value.after);
  if (after === null) return fail("cursor_invalid");
  const items: Item[] = [];
  for (let examined = 0, rows = limit; examined < LIMITS.PAGE_EXAMINED_MAX; rows = LIMITS.LIST_ITEMS_MAX) {
    const page = await list.read(after, rows);
    for (const item of page) if (items.length < limit && list.isVisible(item)) items.push(item);
    if (items.length === limit) return ok({ items, cursor: list.nameOf(items.at(-1)!) });
    if (page.length < rows) return ok({ items, cursor: null });
    examined += page.length;
    after = list.nameOf(page.at(-1)!);
  }
  return ok({ items, cursor: await sealCursor(c, after) });
}

const contextOf = (c: HubContext): string => `cursor:${c.var.principal.app}`;

/** Filled up, so that its length tells nothing of the name either. No name holds the filling. */
async function sealCursor(c: HubContext, name: string): Promise<string> {
  const filled = name.padEnd(LIMITS.TOPIC_NAME_CHARS_MAX);
  return SEALED_CURSOR + (await sealSecret(keyringOf(c.var.config), contextOf(c), filled));
}

/** A name as it is; null for what the hub has not sealed. */
async function openCursor(c: HubContext, cursor: string): Promise<string | null> {
  if (!cursor.startsWith(SEALED_CURSOR)) return cursor;
  const opened = await openSecret(keyringOf(c.var.config), contextOf(c), cursor.slice(SEALED_CURSOR.length));
  return opened === null ? null : opened.trimEnd();
}
