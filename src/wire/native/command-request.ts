/** `POST /v1/commands/{name}`. */
import type { SentCommand } from "../../core/command.ts";
import { attributeProblem } from "../../core/event-attributes.ts";
import { stringOf } from "../../core/json-text.ts";
import { EXPECTED_KEY_VERSION_SAYS, readExpectedKeyVersion } from "../../core/key-version.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export function parseCommandRequest(text: string): Result<SentCommand> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["payload", "key", "expectedKeyVersion"]);
  const key = readKey(reader, given.get("key"));
  const expected = given.get("expectedKeyVersion");
  const expectedKeyVersion = expected === undefined ? null : readExpectedKeyVersion(JSON.parse(expected));
  if (expected !== undefined && expectedKeyVersion === null)
    reader.refuse("/expectedKeyVersion", EXPECTED_KEY_VERSION_SAYS);
  if (expectedKeyVersion !== null && !given.has("key"))
    reader.refuse("/expectedKeyVersion", "An expected version needs a key.");
  return reader.finish("command_invalid", () => ({
    payload: given.get("payload") ?? "null",
    key,
    expectedKeyVersion,
  }));
}

function readKey(reader: DefinitionReader, raw: string | undefined): string | null {
  if (raw === undefined) return null;
  const key = stringOf(raw);
  const problem = key === null ? "This is a string." : attributeProblem("key", key);
  if (problem !== null) reader.refuse("/key", problem);
  return key;
}
