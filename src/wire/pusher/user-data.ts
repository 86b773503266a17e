/** What an app signs about a user: at sign-in `user_data`, on a presence channel `channel_data`. */
import { elements, isListText, isObjectText, members, parseJson, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { User } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { fitsUtf8 } from "../../core/utf8.ts";

export interface SignedUser {
  readonly user: User;
  /** Ids of users whose coming and going it wants to hear of, each once. */
  readonly watchlist: readonly string[];
}

/** `{ "id", "user_info"?, "watchlist"? }`. Fails with `frame_invalid`. */
export function parseUserData(text: string): Result<SignedUser> {
  const given = readObject(text);
  if (!given.ok) return given;
  const user = readUser(stringOf(given.value.get("id") ?? ""), given.value.get("user_info"));
  if (!user.ok) return user;
  return ok({ user: user.value, watchlist: readWatchlist(given.value.get("watchlist")) });
}

/** `{ "user_id", "user_info"? }`, the id a string or a number. Fails with `frame_invalid`. */
export function parseChannelData(text: string): Result<User> {
  const given = readObject(text);
  if (!given.ok) return given;
  const id = given.value.get("user_id") ?? "";
  return readUser(/^-?\d/.test(id) ? id : stringOf(id), given.value.get("user_info"));
}

function readObject(text: string): Result<ReadonlyMap<string, string>> {
  const parsed = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
  const trimmed = text.trim();
  if (!parsed.ok || !isObjectText(trimmed)) return fail("frame_invalid", "What is signed of a user is a JSON object.");
  return ok(new Map(members(trimmed).map(({ name, raw }) => [name, raw])));
}

function readUser(id: string | null, data: string | undefined): Result<User> {
  if (id === null || id === "" || !fitsUtf8(id, LIMITS.USER_ID_BYTES_MAX))
    return fail("frame_invalid", "A user has an id.", { limit: LIMITS.USER_ID_BYTES_MAX });
  if (data !== undefined && !fitsUtf8(data, LIMITS.USER_DATA_BYTES_MAX))
    return fail("frame_invalid", "The user's data are too long.", { limit: LIMITS.USER_DATA_BYTES_MAX });
  return ok({ id, data: data ?? null });
}

/** What cannot be an id is nobody's. */
function readWatchlist(raw: string | undefined): readonly string[] {
  if (raw === undefined || !isListText(raw)) return [];
  const ids = elements(raw).flatMap((item) => stringOf(item) ?? []);
  return [...new Set(ids)].filter((id) => id !== "" && fitsUtf8(id, LIMITS.USER_ID_BYTES_MAX));
}
