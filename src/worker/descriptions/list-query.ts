/** What every list takes. */
import { LIMITS } from "../../core/limits.ts";
import { text, whole } from "../../wire/openapi/shapes.ts";

export const LIST_QUERY = {
  limit: { says: "Items of one page.", shape: whole(1, LIMITS.LIST_ITEMS_MAX) },
  cursor: { says: "Where the page before ended: its `cursor`.", shape: text() },
};
