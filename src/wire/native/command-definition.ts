/** `PUT /v1/commands/{name}`, and what GET answers for it. */
import type { CommandDefinition, CommandTarget } from "../../core/command.ts";
import { formatDuration } from "../../core/duration.ts";
import { isObjectText, members, minify, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isConsumerBinding, isSubscriptionName, isTopicName } from "../../core/names.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { readSchema } from "../../core/schema-document.ts";
import { utf8Length } from "../../core/utf8.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export type CommandRequest = Omit<CommandDefinition, "id" | "app" | "name" | "revision">;

const MEMBERS = ["topic", "target", "schema", "maxAttempts", "timeout", "description"];
const DESCRIPTION_CHARS_MAX = 1_000;
const ATTEMPTS = { min: 1, max: LIMITS.COMMAND_ATTEMPTS_MAX };
const TIMEOUT_MS = { min: 100, max: LIMITS.COMMAND_MS_MAX };

export function parseCommandDefinition(text: string): Result<CommandRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  const topic = stringOf(given.get("topic") ?? "") ?? "";
  if (!isTopicName(topic)) reader.refuse("/topic", "A command names the topic that its events go to.");
  const target = readTarget(reader, given.get("target"));
  const maxAttempts = reader.integer(given.get("maxAttempts"), "/maxAttempts", ATTEMPTS);
  const timeoutMs = reader.durationMs(given.get("timeout"), "/timeout", TIMEOUT_MS);
  const description = reader.text(given.get("description"), "/description", DESCRIPTION_CHARS_MAX);
  const read = reader.finish("command_invalid", () => ({
    topic,
    target: target!,
    schema: given.has("schema") ? minify(given.get("schema")!) : null,
    maxAttempts: maxAttempts ?? LIMITS.COMMAND_ATTEMPTS_DEFAULT,
    timeoutMs: timeoutMs ?? LIMITS.COMMAND_MS_DEFAULT,
    description,
  }));
  if (!read.ok) return read;
  const checked = checkSchema(read.value.schema);
  return checked.ok ? read : checked;
}

function readTarget(reader: DefinitionReader, raw: string | undefined): CommandTarget | null {
  const named = raw !== undefined && isObjectText(raw) ? members(raw).find(({ name }) => name === "kind") : undefined;
  if (named === undefined) reader.refuse("/target", "A command has a target, which says of which kind it is.");
  const kind = reader.choice(named?.raw, "/target/kind", ["listener", "worker"], ["webhook"]);
  if (raw === undefined || kind === null) return null;
  const given = reader.object(raw, "/target", kind === "listener" ? ["kind", "name"] : ["kind", "binding"]);
  if (kind === "listener") {
    const name = stringOf(given.get("name") ?? "") ?? "";
    if (!isSubscriptionName(name)) reader.refuse("/target/name", "A handler has a name like a command's.");
    return { kind, name };
  }
  const binding = stringOf(given.get("binding") ?? "") ?? "";
  if (!isConsumerBinding(binding)) reader.refuse("/target/binding", "A binding to a handler is CONSUMER_ and a name.");
  return { kind, binding };
}

function checkSchema(text: string | null): Result<unknown> {
  if (text === null) return ok(null);
  const size = utf8Length(text);
  if (size > LIMITS.SCHEMA_BYTES_MAX)
    return fail("schema_invalid", "The schema is too large.", { limit: LIMITS.SCHEMA_BYTES_MAX, actual: size });
  return readSchema(JSON.parse(text), "/schema");
}

export const formatCommand = (definition: CommandDefinition) => ({
  name: definition.name,
  topic: definition.topic,
  target: definition.target,
  schema: definition.schema === null ? null : (JSON.parse(definition.schema) as unknown),
  maxAttempts: definition.maxAttempts,
  timeout: formatDuration(definition.timeoutMs),
  description: definition.description,
});
