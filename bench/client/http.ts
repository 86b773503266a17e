/** One client for both sides: node:http over connections that stay open. */
import { Agent, request as httpRequest } from "node:http";

export class HttpClient {
  readonly url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url: URL, headers: Readonly<Record<string, string>>) {
    this.url = url;
    this.#headers = headers;
  }

  /** The body of a 2xx answer; any other answer rejects, because a refused request measures nothing. */
  send(method: string, path: string, body?: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const headers =
        body === undefined ? this.#headers : { ...this.#headers, "content-length": String(Buffer.byteLength(body)) };
      const { hostname, port } = this.url;
      const request = httpRequest({ hostname, port, method, path, headers, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(chunks);
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(answer);
          else reject(new Error(`${method} ${path} answered ${status}: ${answer.toString("utf8").slice(0, 500)}`));
        });
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        // While the other side had its turn the connection was idle, and was closed just as it was used again.
        if (request.reusedSocket && error.code === "ECONNRESET") resolve(this.send(method, path, body));
        else reject(error);
      });
      request.end(body);
    });
  }

  post(path: string, body: string): Promise<Buffer> {
    return this.send("POST", path, body);
  }
}
