/** Who may ask what of a channel, by whichever API. */
import { allows, type Principal } from "../core/principal.ts";

/** Who may follow a channel, or manage its topic, may see that it is occupied, and by how many. */
export const maySeeChannel = (principal: Principal, channel: string): boolean =>
  allows(principal, "subscribe", channel) || allows(principal, "manage", channel);

/** Who may be present may see who is, and so may who manages the channel. */
export const maySeeMembers = (principal: Principal, channel: string): boolean =>
  allows(principal, "presence", channel) || allows(principal, "manage", channel);
