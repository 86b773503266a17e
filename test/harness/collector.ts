/** A collector of traces that takes what OTLP's JSON encoding allows, to the letter, and answers 400 to anything else. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, string>> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

type Json = Readonly<Record<string, unknown>>;

export class Collector {
  readonly spans: CollectedSpan[] = [];
  readonly complaints: string[] = [];
  readonly headers: Readonly<Record<string, unknown>>[] = [];
  readonly url: string;
  /** What it answers instead of 200. */
  status = 200;
  /** Requests that it has read and answers only after `release`. */
  readonly held = new Set<ServerResponse>();
  /** How many of them were given up by whoever sent them. */
  abandoned = 0;
  #holds = false;
  readonly #server: Server;

  static async open(): Promise<Collector> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return new Collector(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.headers.push(request.headers);
        if (request.method !== "POST" || request.url !== "/v1/traces") this.complaints.push(`to ${request.url}`);
        if (request.headers["content-type"] !== "application/json") this.complaints.push("another content type");
        this.#take(Buffer.concat(chunks).toString("utf8"));
        if (this.#holds) this.#hold(response);
        else this.#answer(response);
      });
    });
  }

  /** From now on it answers nobody. */
  hold(): void {
    this.#holds = true;
  }

  release(): void {
    this.#holds = false;
    for (const response of this.held) this.#answer(response);
    this.held.clear();
  }

  #hold(response: ServerResponse): void {
    this.held.add(response);
    response.on("close", () => {
      if (this.held.delete(response)) this.abandoned += 1;
    });
  }

  #answer(response: ServerResponse): void {
    response.writeHead(this.status, { "content-type": "application/json" }).end("{}");
  }

  #take(text: string): void {
    const request = JSON.parse(text) as Json;
    this.#fields("request", request, ["resourceSpans"]);
    for (const one of request["resourceSpans"] as readonly Json[]) {
      this.#fields("resourceSpans", one, ["resource", "scopeSpans"], ["schemaUrl"]);
      this.#attributes((one["resource"] as Json)["attributes"]);
      for (const scoped of one["scopeSpans"] as readonly Json[]) {
        this.#fields("scopeSpans", scoped, ["scope", "spans"], ["schemaUrl"]);
        this.#fields("scope", scoped["scope"] as Json, ["name", "version"]);
        for (const span of scoped["spans"] as readonly (CollectedSpan & Json)[]) this.#span(span);
      }
    }
  }

  #span(span: CollectedSpan & Json): void {
    const times = ["startTimeUnixNano", "endTimeUnixNano"];
    const needed = ["traceId", "spanId", "name", "kind", ...times, "attributes", "status"];
    this.#fields("span", span, needed, ["parentSpanId", "traceState", "flags"]);
    if (!/^(?!0{32})[0-9a-f]{32}$/.test(span.traceId)) this.complaints.push(`traceId ${span.traceId}`);
    for (const id of [span.spanId, span.parentSpanId ?? span.spanId])
      if (!/^(?!0{16})[0-9a-f]{16}$/.test(id)) this.complaints.push(`spanId ${id}`);
    for (const name of times)
      if (typeof span[name] !== "string" || !/^\d{19}$/.test(span[name]))
        this.complaints.push(`${name} ${String(span[name])}`);
    if (BigInt(span.endTimeUnixNano) < BigInt(span.startTimeUnixNano)) this.complaints.push("it ends before it starts");
    if (!Number.isInteger(span.kind) || span.kind < 1 || span.kind > 5) this.complaints.push(`kind ${span.kind}`);
    this.#fields("status", span.status as Json, [], ["code", "message"]);
    this.#attributes(span.attributes);
    this.spans.push(span);
  }

  #attributes(attributes: unknown): void {
    for (const { key, value } of attributes as CollectedSpan["attributes"]) {
      const [kind, held] = Object.entries(value)[0]!;
      const isWell = kind === "stringValue" || (kind === "intValue" && /^-?\d+$/.test(held));
      if (!isWell || typeof held !== "string") this.complaints.push(`attribute ${key}`);
    }
  }

  #fields(of: string, held: Json, needed: readonly string[], allowed: readonly string[] = []): void {
    for (const name of needed) if (!(name in held)) this.complaints.push(`${of} without ${name}`);
    for (const name of Object.keys(held))
      if (!needed.includes(name) && !allowed.includes(name)) this.complaints.push(`${of} with ${name}`);
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }
}
