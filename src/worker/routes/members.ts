/** Who is present in a channel, as a server asks. */
import { Hono } from "hono";
import { isPresenceChannel } from "../../core/member.ts";
import { LIMITS } from "../../core/limits.ts";
import { isTopicName } from "../../core/names.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { fitsUtf8 } from "../../core/utf8.ts";
import { formatMemberReport, formatMembersPage } from "../../wire/native/members.ts";
import { maySeeMembers } from "../channel-access.ts";
import { findMember, readMembers } from "../channel-members.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readWhole } from "../list-query.ts";
import { reach } from "../reach.ts";
import { jsonText, problem } from "../respond.ts";

export const memberRoutes = new Hono<HubBindings>()
  .get("/channels/:topic/members", listMembers)
  .get("/channels/:topic/members/:user", getMember);

async function listMembers(c: HubContext): Promise<Response> {
  const channel = channelOf(c);
  if (!channel.ok) return problem(channel.failure);
  const asked = readWhole(c, "limit", 1, LIMITS.LIST_ITEMS_MAX);
  if (!asked.ok) return problem(asked.failure);
  const limit = asked.value ?? LIMITS.LIST_ITEMS_DEFAULT;
  const after = c.req.query("cursor") ?? ""; // The id of the last one seen.
  if (!fitsUtf8(after, LIMITS.USER_ID_BYTES_MAX)) return problem({ code: "cursor_invalid" });
  const page = await reach(() => readMembers(c, channel.value, after, limit));
  return page.ok ? jsonText(formatMembersPage(page.value, limit)) : problem(page.failure);
}

async function getMember(c: HubContext): Promise<Response> {
  const channel = channelOf(c);
  if (!channel.ok) return problem(channel.failure);
  const member = await reach(() => findMember(c, channel.value, c.req.param("user")!));
  if (!member.ok) return problem(member.failure);
  return member.value === null ? problem({ code: "member_not_found" }) : jsonText(formatMemberReport(member.value));
}

/** Scope is judged before existence. */
function channelOf(c: HubContext): Result<string> {
  const name = c.req.param("topic")!;
  if (!isTopicName(name)) return fail("topic_name_invalid");
  if (!maySeeMembers(c.var.principal, name)) return fail("scope_missing");
  return isPresenceChannel(name) ? ok(name) : fail("presence_not_offered");
}
