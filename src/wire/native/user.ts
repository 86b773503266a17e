/** A browser's user: an id, and what other members of a presence channel may see of it. */
import { minify, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { User } from "../../core/principal.ts";
import { utf8Length } from "../../core/utf8.ts";
import type { DefinitionReader } from "./definition-reader.ts";

/** Where the two stand differs: in a token they are claims, in a request members. */
export interface UserText {
  readonly id: string | undefined;
  readonly idAt: string;
  readonly data: string | undefined;
  readonly dataAt: string;
}

const CONTROL = /\p{Cc}/u;

/** Null when nobody is named. `data` stays JSON text. */
export function readUser(reader: DefinitionReader, { id: raw, idAt, data, dataAt }: UserText): User | null {
  if (data !== undefined && utf8Length(data) > LIMITS.USER_DATA_BYTES_MAX)
    reader.refuse(dataAt, `A user's data take at most ${LIMITS.USER_DATA_BYTES_MAX} bytes.`);
  if (raw === undefined) {
    if (data !== undefined) reader.refuse(idAt, "Data without a user are nobody's.");
    return null;
  }
  const id = stringOf(raw) ?? "";
  const isId = id !== "" && !CONTROL.test(id) && utf8Length(id) <= LIMITS.USER_ID_BYTES_MAX;
  if (!isId) reader.refuse(idAt, `A user's id is 1 to ${LIMITS.USER_ID_BYTES_MAX} bytes without control characters.`);
  return { id, data: data === undefined ? null : minify(data) };
}
