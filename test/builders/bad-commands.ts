/** Bad requests at the door of commands. `steady` is one: its payload is an object, its topic `steady-stream`. */
import type { ErrorCode } from "../../src/core/errors.ts";
import { bad, MARK, type BadRequest } from "./refusals.ts";

const JSON_TYPE = { "content-type": "application/json" };
const TARGET = { kind: "worker", binding: "CONSUMER_STEADY" };

const at = (where: string, given: unknown, code: ErrorCode): BadRequest => {
  const body = typeof given === "string" ? given : JSON.stringify(given);
  return bad(`${where} ${body.slice(0, 80)}`, where, code, JSON_TYPE, body);
};

const define = (definition: unknown, code: ErrorCode = "command_invalid", name = "new"): BadRequest =>
  at(`PUT /v1/commands/${name}`, definition, code);

const defineWith = (more: object, code: ErrorCode = "command_invalid"): BadRequest =>
  define({ topic: "new-topic", target: TARGET, ...more }, code);

const send = (command: unknown, code: ErrorCode = "command_invalid"): BadRequest =>
  at("POST /v1/commands/steady", command, code);

export const BAD_COMMANDS: readonly BadRequest[] = [
  define("{", "json_invalid"),
  define("[]"),
  define({}),
  define({ topic: "new-topic" }),
  define({ target: TARGET }),
  defineWith({ topic: "$system.channels" }),
  defineWith({ topic: `a ${MARK}` }),
  defineWith({ target: MARK }),
  defineWith({ target: { kind: MARK } }),
  defineWith({ target: { kind: "webhook", url: `https://example.com/${MARK}` } }),
  defineWith({ target: { kind: "listener", name: "" } }),
  defineWith({ target: { kind: "listener", name: "nobody" } }, "listener_not_found"),
  defineWith({ target: { kind: "listener", name: "analytics" } }, "listener_not_found"),
  defineWith({ target: { kind: "worker", binding: "DB" } }),
  defineWith({ target: { kind: "worker", binding: "CONSUMER_NOBODY" } }, "worker_not_found"),
  defineWith({ target: { ...TARGET, more: MARK } }),
  defineWith({ schema: { type: MARK } }, "schema_invalid"),
  defineWith({ schema: 7 }, "schema_invalid"),
  defineWith({ schema: { description: "x".repeat(65_536) } }, "schema_invalid"),
  defineWith({ maxAttempts: 0 }),
  defineWith({ maxAttempts: 101 }),
  defineWith({ timeout: "9s" }),
  defineWith({ timeout: MARK }),
  defineWith({ description: "x".repeat(1_001) }),
  defineWith({ unheardOf: MARK }),
  define({ topic: "new-topic", target: TARGET }, "command_invalid", "a%20name"),
  define({ topic: "new-topic", target: TARGET }, "command_invalid", "n".repeat(101)),
  send("{", "json_invalid"),
  send("[]"),
  send({ payload: 7 }),
  send({}),
  send({ payload: {}, key: 7 }),
  send({ payload: {}, key: "" }),
  send({ payload: {}, key: "k".repeat(257) }),
  send({ payload: {}, key: "k", expectedKeyVersion: -1 }),
  send({ payload: {}, key: "k", expectedKeyVersion: MARK }),
  send({ payload: {}, expectedKeyVersion: 1 }),
  send({ payload: {}, unheardOf: MARK }),
  send({ payload: {}, key: "k", expectedKeyVersion: 3 }, "version_conflict"),
  at("POST /v1/commands/absent", { payload: {} }, "command_not_found"),
  bad("a command that is not there", "GET /v1/commands/absent", "command_not_found"),
  bad("the end of a command that is not there", "DELETE /v1/commands/absent", "command_not_found"),
  bad("a list of no commands", "GET /v1/commands?limit=0", "parameter_invalid"),
  bad("a list behind an endless name", `GET /v1/commands?cursor=${"x".repeat(201)}`, "cursor_invalid"),
];
