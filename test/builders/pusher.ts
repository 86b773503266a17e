/** Pusher's own libraries, as they come from npm, pointed at a hub: the only client and server code of that side here. */
import PusherServer from "pusher";
import Pusher, { type Channel, type Options } from "pusher-js";
import { startHub, type Hub, type HubOptions } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

export interface PusherKey {
  readonly appId: string;
  readonly key: string;
  readonly secret: string;
}

export async function makePusherKey(hub: Hub, more: object = {}): Promise<PusherKey> {
  const made = await hub.json<{ pusher: PusherKey }>("POST", "/v1/keys", {
    name: "pusher",
    scopes: ["subscribe:**", "publish:**", "presence:**"],
    pusher: true,
    ...more,
  });
  if (made.status !== 201) throw new Error(`no key: ${JSON.stringify(made.body)}`);
  return made.body.pusher;
}

/** `encryptionMasterKeyBase64` for encrypted channels. */
export function pusherServer(hub: Hub, { appId, key, secret }: PusherKey, more: object = {}): PusherServer {
  const { hostname: host, port } = new URL(hub.url);
  return new PusherServer({ appId, key, secret, host, port, useTLS: false, ...more });
}

/** Who the app's own server says that a connection is. */
export interface Says {
  readonly member?: { readonly user_id: string; readonly user_info?: object };
  readonly user?: { readonly id: string; readonly user_info?: object; readonly watchlist?: string[] };
}

interface Asked {
  readonly socketId: string;
  readonly channelName: string;
}
type Callback = (error: Error | null, signed: unknown) => void;

/** A client whose channels and sign-in the app's server signs, as an endpoint of it would. */
export function pusherClient(hub: Hub, key: string, server: PusherServer, says: Says = {}, more: object = {}): Pusher {
  const { hostname: wsHost, port } = new URL(hub.url);
  const options = {
    cluster: "none",
    wsHost,
    wsPort: Number(port),
    forceTLS: false,
    enabledTransports: ["ws"],
    disableStats: true,
    channelAuthorization: {
      customHandler: ({ socketId, channelName }: Asked, callback: Callback) => {
        callback(null, server.authorizeChannel(socketId, channelName, says.member as never));
      },
    },
    userAuthentication: {
      customHandler: ({ socketId }: Asked, callback: Callback) => {
        callback(null, server.authenticateUser(socketId, says.user as never));
      },
    },
    ...more,
  } as unknown as Options;
  return new Pusher(key, options);
}

/** An application on a hub of its own: its key, its server, which signs for its clients, and the clients of a test. */
export class PusherApp {
  readonly hub: Hub;
  readonly key: PusherKey;
  readonly server: PusherServer;
  readonly #clients: { disconnect(): void }[] = [];

  static async open(options: HubOptions = {}): Promise<PusherApp> {
    const hub = await startHub(options);
    return new PusherApp(hub, await makePusherKey(hub));
  }

  private constructor(hub: Hub, key: PusherKey) {
    this.hub = hub;
    this.key = key;
    this.server = pusherServer(hub, key);
  }

  client(says: Says = {}, more: object = {}): Pusher {
    return this.keep(pusherClient(this.hub, this.key.key, this.server, says, more));
  }

  /** Who it is in presence channels. */
  member(id: string, info?: object): Pusher {
    return this.client({ member: { user_id: id, ...(info !== undefined && { user_info: info }) } });
  }

  /** A client that `leave` sends away as well. */
  keep<Client extends { disconnect(): void }>(client: Client): Client {
    this.#clients.push(client);
    return client;
  }

  /** Every client, between two tests. */
  leave(): void {
    for (const client of this.#clients.splice(0)) client.disconnect();
  }

  close(): Promise<void> {
    this.leave();
    return this.hub.close();
  }
}

/** What was said to a channel, or to anything else that can be bound to, in order. */
export class Heard {
  readonly events: { readonly name: string; readonly data: unknown }[] = [];

  constructor(source: { bind_global(callback: (name: string, data: unknown) => void): unknown }) {
    source.bind_global((name, data) => this.events.push({ name, data }));
  }

  names(): string[] {
    return this.events.map(({ name }) => name);
  }

  /** The data of the events of that name, once there are so many. */
  async of(name: string, count = 1): Promise<unknown[]> {
    const found = (): unknown[] => this.events.filter((event) => event.name === name).map(({ data }) => data);
    await eventually(
      () => this.names(),
      () => found().length >= count,
      `${count} of ${name}`,
    );
    return found();
  }
}

export const SUBSCRIBED = "pusher:subscription_succeeded";

/** Resolves when the hub has let it in, with what it heard up to then and hears later. */
export async function subscribed(client: Pusher, name: string): Promise<{ channel: Channel; heard: Heard }> {
  const channel = client.subscribe(name);
  const heard = new Heard(channel);
  await heard.of(SUBSCRIBED);
  return { channel, heard };
}

export const connected = (client: Pusher): Promise<string> =>
  new Promise((resolve) => {
    if (client.connection.state === "connected") resolve(client.connection.socket_id);
    client.connection.bind("connected", () => resolve(client.connection.socket_id));
  });

/** Resolves when the hub has heard who the app's server says that it is. */
export async function signIn(client: Pusher): Promise<Pusher> {
  await connected(client);
  client.signin();
  await new Promise<void>((resolve) => client.bind("pusher:signin_success", () => resolve()));
  return client;
}
