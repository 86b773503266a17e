/** Sockets, channels, members and users. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  ANYTHING,
  FLAG,
  listOf,
  named,
  oneOfTexts,
  pageOf,
  shortText,
  shown,
  taken,
  text,
  whole,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

export const LIVE_SHAPES = {
  Channel: shown(
    { name: text(), kind: oneOfTexts("public", "private", "presence"), occupied: FLAG, subscriptions: whole() },
    { members: whole() }, // Of one presence channel, to who may see them.
  ),
  Member: shown({ id: text(), data: ANYTHING, connections: whole(1) }),
} as const;

const CONNECTIONS = { "application/json": shown({ connections: whole() }) };

export const LIVE: RouteGroup = {
  name: "Live",
  says: "The socket, the channels that are followed, who is present, and users' connections.",
  routes: [
    {
      route: "GET /v1/connect",
      id: "connect",
      summary: "Open the socket",
      details: "A WebSocket with the subprotocol `tidings.v1`; its messages stand in `/v1/asyncapi.json`.",
      scope: "any; each topic is judged by itself",
      access: "live",
      answers: [{ status: 101, says: "The socket is open." }],
      problems: ["protocol_invalid", "upgrade_required"],
    },
    {
      route: "GET /v1/channels",
      id: "listChannels",
      summary: "List the channels that somebody follows now",
      scope: "subscribe or manage, by channel",
      query: { ...LIST_QUERY, prefix: { says: "How their names begin.", shape: text() } },
      answers: [{ status: 200, says: "By name.", content: { "application/json": pageOf(named("Channel")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/channels/:topic",
      id: "getChannel",
      summary: "See how many follow a channel now, and are present in it",
      scope: "subscribe or manage on the channel",
      answers: [{ status: 200, says: "The channel.", content: { "application/json": named("Channel") } }],
      problems: ["topic_name_invalid"],
    },
    {
      route: "GET /v1/channels/:topic/members",
      id: "listMembers",
      summary: "List who is present in a channel",
      scope: "presence or manage on the channel",
      query: LIST_QUERY,
      answers: [
        {
          status: 200,
          says: "By id.",
          content: {
            "application/json": { allOf: [pageOf(named("Member")), shown({ count: whole(), version: whole() })] },
          },
        },
      ],
      problems: ["cursor_invalid", "presence_not_offered", "topic_name_invalid", "topic_not_found"],
    },
    {
      route: "GET /v1/channels/:topic/members/:user",
      id: "getMember",
      summary: "See whether a user is present",
      scope: "presence or manage on the channel",
      answers: [{ status: 200, says: "The member.", content: { "application/json": named("Member") } }],
      problems: ["member_not_found", "presence_not_offered", "topic_name_invalid", "topic_not_found"],
    },
    {
      route: "GET /v1/users/:id",
      id: "getUser",
      summary: "Count a user's connections",
      scope: "admin",
      answers: [
        { status: 200, says: "Now.", content: { "application/json": shown({ id: text(), connections: whole() }) } },
      ],
      problems: [],
    },
    {
      route: "POST /v1/users/:id/events",
      id: "sendToUser",
      summary: "Send an event to each connection of a user; it is kept nowhere",
      scope: "admin",
      body: {
        "application/json": {
          ...taken({ type: shortText(LIMITS.EVENT_TYPE_CHARS_MAX, { minLength: 1 }) }, { data: ANYTHING }),
        },
      },
      isRepeatable: true,
      answers: [{ status: 200, says: "To how many it was sent.", content: CONNECTIONS }],
      problems: ["event_invalid", "event_too_large"],
    },
    {
      route: "POST /v1/users/:id/disconnect",
      id: "disconnectUser",
      summary: "End a user's connections; it may come again",
      scope: "admin",
      isRepeatable: true,
      answers: [{ status: 200, says: "How many were ended.", content: CONNECTIONS }],
      problems: [],
    },
    {
      route: "GET /v1/connections",
      id: "countConnections",
      summary: "Count the app's sockets by hub",
      scope: "admin",
      answers: [
        {
          status: 200,
          says: "Now.",
          content: { "application/json": shown({ sockets: whole(), hubs: listOf(shown({ sockets: whole() })) }) },
        },
      ],
      problems: [],
    },
  ],
};
