/** A list of scopes, as keys and tokens carry it. */
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { parseScope, type Scope } from "../../core/scope.ts";
import { utf8Length } from "../../core/utf8.ts";
import type { DefinitionReader } from "./definition-reader.ts";

/** What was refused is with the reader, each scope under its own pointer. */
export function readScopes(reader: DefinitionReader, raw: string | undefined, pointer: string): readonly Scope[] {
  if (raw === undefined) {
    reader.refuse(pointer, "There is a list of scopes: without one nothing is allowed.");
    return [];
  }
  if (utf8Length(raw) > LIMITS.CREDENTIAL_SCOPES_BYTES_MAX)
    reader.refuse(pointer, `The scopes take at most ${LIMITS.CREDENTIAL_SCOPES_BYTES_MAX} bytes.`);
  return reader.list(raw, pointer, LIMITS.CREDENTIAL_SCOPES_MAX).flatMap((text, index) => {
    const scope = parseScope(stringOf(text) ?? "");
    if (scope === null)
      reader.refuse(`${pointer}/${index}`, `This is a scope such as "publish:order.*" or "subscribe:**".`);
    return scope === null ? [] : [scope];
  });
}
