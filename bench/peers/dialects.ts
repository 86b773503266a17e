/** How the peers that speak HTTP are asked; each says only what it is measured in. */
import { bareDialect, type Dialect } from "../sides/dialects.ts";
import type { PeerKind } from "../sides/messages.ts";

const streamPath = (topic: string): string => `/v1/stream/${topic}`;

const durableStreams: Dialect = {
  ...bareDialect,
  publishOne: streamPath,
  publishMany: streamPath,
  broadcast: streamPath,
  createTopic: (topic) => ({ method: "PUT", path: streamPath(topic), body: "" }),
  /** It knows no limit: an answer holds all there is. */
  page: (topic) => `${streamPath(topic)}?offset=-1`,
  eventStream: { path: (topic) => `${streamPath(topic)}?offset=now&live=sse`, ready: "upToDate" },
};

const roomPath = (topic: string): string => `/parties/room/${topic}`;

const partyServer: Dialect = {
  ...bareDialect,
  broadcast: roomPath,
  socket: { ...bareDialect.socket, path: roomPath },
};

/** The frames of Engine.IO 4: a client that joins sends 40, and is answered 40 with its id. */
const socketIo: Dialect = {
  ...bareDialect,
  broadcast: () => "/",
  socket: {
    ...bareDialect.socket,
    path: () => "/socket.io/?EIO=4&transport=websocket",
    subscribe: () => ({ frame: "40", answer: '40{"sid"' }),
  },
};

export const peerDialects: Record<PeerKind, () => Dialect> = {
  "durable-streams": () => durableStreams,
  partyserver: () => partyServer,
  "socket-io": () => socketIo,
  // Spoken to by their own clients.
  "redis-always": () => bareDialect,
  "redis-everysec": () => bareDialect,
  nats: () => bareDialect,
};
