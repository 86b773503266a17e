/**
 * What the bench asks of its peers' packages, for a checkout in which they are not installed yet: without it the whole
 * repository would not type-check there. Where they are installed it is not needed, and may go.
 */
declare module "@durable-streams/server" {
  export class DurableStreamTestServer {
    constructor(options: { readonly host: string; readonly port: number; readonly dataDir: string });
    start(): Promise<string>;
    stop(): Promise<void>;
  }
}

declare module "partyserver" {
  import { DurableObject } from "cloudflare:workers";
  export class Server extends DurableObject {
    onRequest(request: Request): Response | Promise<Response>;
    broadcast(message: string): void;
  }
  export function routePartykitRequest(request: Request, env: Cloudflare.Env): Promise<Response | null>;
}

declare module "socket.io" {
  import type { Server as HttpServer } from "node:http";
  export class Server {
    constructor(
      http: HttpServer,
      options: { readonly transports: readonly string[]; readonly pingInterval: number; readonly serveClient: boolean },
    );
    emit(event: string, value: unknown): boolean;
    close(): Promise<void>;
  }
}

declare module "@redis/client" {
  type Fields = Readonly<Record<string, string>>;
  interface Transaction {
    xAdd(key: string, id: string, fields: Fields): Transaction;
    exec(): Promise<unknown>;
  }
  interface Client {
    connect(): Promise<unknown>;
    xAdd(key: string, id: string, fields: Fields): Promise<string>;
    multi(): Transaction;
    destroy(): void;
  }
  export function createClient(options: { readonly url: string }): Client;
}

declare module "@nats-io/transport-node" {
  export interface NatsConnection {
    close(): Promise<void>;
  }
  export function connect(options: { readonly servers: string }): Promise<NatsConnection>;
}

declare module "@nats-io/jetstream" {
  import type { NatsConnection } from "@nats-io/transport-node";
  export const StorageType: { readonly File: "file" };
  interface Stream {
    readonly name: string;
    readonly subjects: readonly string[];
    readonly storage: "file";
  }
  export function jetstream(connection: NatsConnection): { publish(subject: string, text: string): Promise<unknown> };
  export function jetstreamManager(
    connection: NatsConnection,
  ): Promise<{ readonly streams: { add(stream: Stream): Promise<unknown> } }>;
}
