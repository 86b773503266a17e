/** What a client publishes over its socket: an event for the log, or one that only goes to who is there. */
import { isClientEventType } from "../../core/client-event.ts";
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { isObjectText, members, stringOf } from "../../core/json-text.ts";
import { sendClientEvent } from "./client-event.ts";
import type { Connection } from "./connection.ts";
import type { HubState } from "./hub-state.ts";

type PublishMessage = Extract<ClientMessage, { op: "publish" }>;

/** Answers a failure to be told, or null when everything was said. */
export async function publish(hub: HubState, connection: Connection, message: PublishMessage): Promise<Failure | null> {
  const { ref, topic, event } = message;
  const isClientEvent = isClientEventType(typeOf(event));
  if (isClientEvent) {
    const sent = await sendClientEvent(hub, connection, message);
    if (!sent.ok) return sent.failure;
    if (sent.value.kind === "relayed") return null;
  }
  const exclude = isClientEvent || !message.echo ? connection.id : null;
  const receipt = await hub.gate.publish(connection.principal, topic, event, exclude);
  if (!receipt.ok) return receipt.failure;
  connection.send(hub.dialect.published(ref, receipt.value));
  return null;
}

/** Of a draft as text, whether it is good or not; empty where it names none. */
function typeOf(event: string): string {
  const mayBe = event.includes('"client-') || event.includes("\\"); // A name can be spelled with escapes.
  if (!mayBe || !isObjectText(event)) return "";
  const found = members(event);
  const type = found.find(({ name }) => name === "type") ?? found.find(({ name }) => name === "event");
  return stringOf(type?.raw ?? "") ?? "";
}
