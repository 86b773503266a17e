/** Commands: what handlers decide on the state of a key. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  ANYTHING,
  DURATION,
  EXPECTED_VERSION,
  listOf,
  matching,
  named,
  orNull,
  pageOf,
  shortText,
  shown,
  taken,
  text,
  whole,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

const JSON_SCHEMA = { type: ["object", "boolean"], description: "JSON Schema 2020-12 that payloads keep to." };
const HANDLER = {
  anyOf: [
    taken({ kind: { const: "listener" }, name: matching(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/) }),
    taken({ kind: { const: "worker" }, binding: matching(/^CONSUMER_[A-Z0-9_]{1,80}$/) }),
  ],
};

export const COMMAND_SHAPES = {
  CommandDefinition: taken(
    { topic: matching(/^[a-zA-Z0-9][a-zA-Z0-9._:@=,;-]{0,199}$/), target: HANDLER },
    {
      schema: JSON_SCHEMA,
      maxAttempts: whole(1, LIMITS.COMMAND_ATTEMPTS_MAX),
      timeout: DURATION,
      description: shortText(1_000),
    },
    { examples: [{ topic: "accounts", target: { kind: "listener", name: "withdraw" }, timeout: "2s" }] },
  ),
  Command: shown({
    name: text(),
    topic: text(),
    target: HANDLER,
    schema: orNull(JSON_SCHEMA),
    maxAttempts: whole(1),
    timeout: DURATION,
    description: orNull(text()),
  }),
  SentCommand: taken(
    {},
    {
      payload: ANYTHING,
      key: text({ minLength: 1, maxLength: LIMITS.EVENT_KEY_BYTES_MAX }),
      expectedKeyVersion: EXPECTED_VERSION,
    },
    { examples: [{ payload: { amount: 40 }, key: "account-1" }] },
  ),
  CommandOutcome: shown(
    { status: text({ enum: ["accepted", "rejected"] }), events: listOf(named("Receipt")), attempts: whole() },
    { reason: text(), sync: listOf(named("SyncOutcome")) },
  ),
} as const;

const COMMAND = { "application/json": named("Command") };
const READ = "publish or manage on `$commands.` and the name";

export const COMMANDS: RouteGroup = {
  name: "Commands",
  says: "Requests that a handler turns into events of one key, or declines, on the key's state.",
  routes: [
    {
      route: "GET /v1/commands",
      id: "listCommands",
      summary: "List the commands that the credential may send or manage",
      scope: READ,
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By name.", content: { "application/json": pageOf(named("Command")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/commands/:name",
      id: "getCommand",
      summary: "Read a command's definition",
      scope: READ,
      answers: [{ status: 200, says: "The definition.", content: COMMAND }],
      problems: ["command_not_found"],
    },
    {
      route: "PUT /v1/commands/:name",
      id: "putCommand",
      summary: "Define a command or change it",
      details: "Its topic is made if it is not there.",
      scope: "manage on `$commands.` and the name, and publish on the topic",
      body: { "application/json": named("CommandDefinition") },
      isRepeatable: true,
      answers: [
        { status: 200, says: "Changed, or as it was.", content: COMMAND },
        { status: 201, says: "Defined.", content: COMMAND },
      ],
      problems: ["command_invalid", "listener_not_found", "schema_invalid", "worker_not_found"],
    },
    {
      route: "DELETE /v1/commands/:name",
      id: "deleteCommand",
      summary: "Delete a command; its events stay",
      scope: "manage on `$commands.` and the name",
      isRepeatable: true,
      answers: [{ status: 204, says: "Gone." }],
      problems: ["command_not_found"],
    },
    {
      route: "POST /v1/commands/:name",
      id: "sendCommand",
      summary: "Send a command",
      details: "All of its events are appended or none; under one Idempotency-Key it happens once.",
      scope: "publish on `$commands.` and the name",
      body: { "application/json": named("SentCommand") },
      isBodyOptional: true,
      isRepeatable: true,
      answers: [
        {
          status: 200,
          says: "Accepted, with the receipts of its events; or rejected by its handler, with the reason.",
          content: { "application/json": named("CommandOutcome") },
        },
      ],
      problems: [
        "command_contended",
        "command_failed",
        "command_invalid",
        "command_not_found",
        "index_required",
        "key_history_trimmed",
        "topic_full",
        "topic_not_found",
        "version_conflict",
      ],
    },
  ],
};
