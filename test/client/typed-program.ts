/**
 * A program against the client's types; it is compiled and not run. Each line under `@ts-expect-error` must be refused:
 * `npm run types` holds the sources to it, declarations.test.ts the package as others get it.
 */
import { z } from "zod";
import { createHub, defineEvent, defineTopic, TidingsError, type HubEvent } from "../../src/client/client.ts";

const hub = createHub({ url: "https://hub.example.com", getToken: async () => "token" });
const said = defineEvent("said", z.object({ text: z.string(), loud: z.boolean().default(false) }));
const moved = defineEvent("moved", z.object({ to: z.string().transform(Number) }));
const kicked = defineEvent("kicked", z.object({ why: z.string() }));
const room = defineTopic("rooms/:id", [said, moved]);
const lobby = defineTopic("lobby");
const seat = defineTopic("presence-rooms/:room/seats/:seat");

export async function publishes(): Promise<void> {
  const receipt = await hub.publish(room({ id: "7" }), said({ text: "hello" }), { key: "ada" });
  receipt.offset satisfies number;
  await hub.publish(room({ id: 7 }), { type: "moved", data: { to: "12" } });
  await hub.publish("orders", { type: "order.created", data: { anything: true } });
  await hub.publish("orders", said({ text: "hello" }));
  await hub.publish(lobby(), { type: "whatever", data: null });
  seat({ room: "a", seat: 4 }).name satisfies string;
  // @ts-expect-error: an event of another topic
  await hub.publish(room({ id: "7" }), kicked({ why: "spam" }));
  // @ts-expect-error: data that does not fit
  await hub.publish(room({ id: "7" }), said({ text: 1 }));
  // @ts-expect-error: the schema takes a text here, and makes a number of it
  await hub.publish(room({ id: "7" }), { type: "moved", data: { to: 12 } });
  // @ts-expect-error: a type that the topic does not carry
  await hub.publish(room({ id: "7" }), { type: "unheard", data: {} });
  // @ts-expect-error: the pattern has a parameter
  room();
  // @ts-expect-error: it is called id
  room({ name: "7" });
  // @ts-expect-error: it has two
  seat({ room: "a" });
  // @ts-expect-error: it has none
  lobby({ id: "7" });
  // @ts-expect-error: there is no such option
  await hub.publish("orders", { type: "t", data: null }, { prioritty: 1 });
}

export async function reads(): Promise<void> {
  for await (const item of hub.subscribe(room({ id: "7" }), { from: "earliest" })) {
    if (item.kind === "gap") item.gap.reason satisfies "trimmed" | "epoch" | "ahead";
    else if (item.kind === "unfit") item.event satisfies HubEvent<string, unknown>;
    else if (item.kind === "event" && item.event.type === "moved") {
      item.event.data.to satisfies number;
      // @ts-expect-error: what the schema makes of it is a number
      item.event.data.to satisfies string;
    } else if (item.kind === "event" && item.event.type === "said") item.event.data.loud satisfies boolean;
    // @ts-expect-error: not every item is an event
    item.event satisfies HubEvent;
  }
  for await (const item of hub.subscribe("orders")) {
    // @ts-expect-error: nobody knows what it carries
    if (item.kind === "event") item.event.data.total satisfies number;
  }
  // @ts-expect-error: a place is earliest, latest, offset:N, time:… or cursor:…
  hub.subscribe("orders", { from: "begin" });

  hub.on(room({ id: "7" }), said, ({ data }) => data.text satisfies string);
  hub.on("rooms.7", said, ({ type, data }) => [type satisfies "said", data.loud satisfies boolean]);
  hub.on("orders", "order.created", ({ data }) => data satisfies unknown);
  // @ts-expect-error: the topic does not carry it
  hub.on(room({ id: "7" }), kicked, () => undefined);

  const page = await hub.history(room({ id: "7" }), { limit: 10 });
  for (const event of page.events) if (event.type === "said") event.data.text satisfies string;
  // @ts-expect-error: a page is not to be changed
  page.events.pop();
}

export function fails(error: unknown): boolean {
  if (!(error instanceof TidingsError)) return false;
  // @ts-expect-error: there is no such code
  if (error.code === "scope_mising") return false;
  return error.code === "scope_missing" || error.code === "outbox_full" || error.retryable;
}

// @ts-expect-error: where is it?
createHub({ token: "t" });
// @ts-expect-error: a schema is a Standard Schema
defineEvent("said", { parse: (value: unknown) => value });
