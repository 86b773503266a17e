/** How each peer is started; its packages are loaded only then. */
import type { Hosted } from "../sides/hosted.ts";
import type { PeerKind } from "../sides/messages.ts";

export const peerStarts: Record<PeerKind, (persistTo: string) => Promise<Hosted>> = {
  "durable-streams": async (persistTo) => (await import("./durable-streams/start.ts")).startDurableStreams(persistTo),
  partyserver: async (persistTo) => (await import("./partyserver/start.ts")).startPartyServer(persistTo),
  "socket-io": async () => (await import("./socket-io/start.ts")).startSocketIo(),
  "redis-always": async (persistTo) => (await import("./redis/start.ts")).startRedis(persistTo, "always"),
  "redis-everysec": async (persistTo) => (await import("./redis/start.ts")).startRedis(persistTo, "everysec"),
  nats: async (persistTo) => (await import("./nats/start.ts")).startNats(persistTo),
};
