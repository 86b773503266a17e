/** What Pusher's clients and server libraries call. Each request is signed; docs/pusher.md says what is offered. */
import type { RouteDescription, RouteGroup } from "../../wire/openapi/route-description.ts";
import { ANYTHING, FLAG, listOf, mapOf, shown, text } from "../../wire/openapi/shapes.ts";

const SCOPED = "what the key's scopes allow";
const DONE = [{ status: 200, says: "Done.", content: { "application/json": mapOf(ANYTHING) } }];

const query = (name: string, says: string) => ({ [name]: { says, shape: text() } });

const trigger = (name: string, id: string, summary: string): RouteDescription => ({
  route: `POST /apps/:app/${name}`,
  id,
  summary,
  scope: SCOPED,
  access: "signed",
  body: { "application/json": mapOf(ANYTHING) },
  answers: DONE,
  problems: ["event_invalid", "event_too_large", "json_invalid", "schema_violation", "topic_name_invalid"],
});

export const PUSHER: RouteGroup = {
  name: "Pusher",
  says: "The protocol of Pusher Channels, for its clients and server libraries.",
  routes: [
    {
      route: "GET /app/:key",
      id: "pusherConnect",
      summary: "Open a socket of Pusher's protocol",
      scope: "what the key's scopes allow in public; the rest is signed",
      access: "open",
      answers: [{ status: 101, says: "The socket is open; a refusal is told on it." }],
      problems: ["upgrade_required"],
    },
    trigger("events", "pusherTrigger", "Publish an event on channels"),
    trigger("batch_events", "pusherTriggerBatch", "Publish up to ten events"),
    {
      route: "GET /apps/:app/channels",
      id: "pusherListChannels",
      summary: "List occupied channels",
      scope: SCOPED,
      access: "signed",
      query: { ...query("filter_by_prefix", "How their names begin."), ...query("info", "`user_count`.") },
      answers: [
        { status: 200, says: "By name.", content: { "application/json": shown({ channels: mapOf(mapOf(ANYTHING)) }) } },
      ],
      problems: [],
    },
    {
      route: "GET /apps/:app/channels/:channel",
      id: "pusherGetChannel",
      summary: "See the state of a channel",
      scope: SCOPED,
      access: "signed",
      query: query("info", "Of `user_count`, `subscription_count` and `cache`, what is asked, with commas."),
      answers: [{ status: 200, says: "Now.", content: { "application/json": shown({ occupied: FLAG }) } }],
      problems: ["topic_name_invalid"],
    },
    {
      route: "GET /apps/:app/channels/:channel/users",
      id: "pusherListUsers",
      summary: "List who is present in a channel",
      scope: SCOPED,
      access: "signed",
      answers: [
        {
          status: 200,
          says: "Now.",
          content: { "application/json": shown({ users: listOf(shown({ id: text() })) }) },
        },
      ],
      problems: ["topic_name_invalid"],
    },
    {
      route: "POST /apps/:app/users/:user/terminate_connections",
      id: "pusherTerminateConnections",
      summary: "End a user's connections",
      scope: "manage on every topic",
      access: "signed",
      answers: DONE,
      problems: [],
    },
  ],
};
