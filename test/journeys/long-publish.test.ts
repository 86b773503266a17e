import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer } from "../builders/tokens.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

type Answer = { readonly offset?: number; readonly problem?: { readonly code: string } };

const LINE = new TextEncoder().encode('{"type":"t"}\n');

/** A publish whose body stays open: lines go up one by one, the first with its beginning, and answers come down. */
class OpenPublish {
  readonly #lines: ReadableStreamDefaultController<Uint8Array>;
  readonly #answers: AsyncIterator<Answer>;

  static async start(topic: string, credential: string, more: Record<string, string> = {}): Promise<OpenPublish> {
    let lines!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (lines = controller) });
    const headers = { ...bearer(credential), "content-type": "application/x-ndjson", ...more };
    const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body, duplex: "half" };
    lines.enqueue(LINE); // No head comes before the first bytes of the answer.
    const response = await hub.request(`/v1/topics/${topic}/events`, init);
    expect(response.status).toBe(200);
    return new OpenPublish(lines, response.body!);
  }

  private constructor(lines: ReadableStreamDefaultController<Uint8Array>, answers: ReadableStream<Uint8Array>) {
    this.#lines = lines;
    this.#answers = readAnswers(answers);
  }

  /** What became of the line that was sent last. */
  async answer(): Promise<Answer> {
    return (await this.#answers.next()).value as Answer;
  }

  publish(): Promise<Answer> {
    this.#lines.enqueue(LINE);
    return this.answer();
  }

  async ended(): Promise<boolean> {
    return (await this.#answers.next()).done === true;
  }
}

async function* readAnswers(answers: ReadableStream<Uint8Array>): AsyncGenerator<Answer> {
  let rest = "";
  for await (const text of answers.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line) as Answer;
  }
}

async function makeKey(scopes: readonly string[]): Promise<{ id: string; key: string }> {
  return (await hub.json<{ id: string; key: string }>("POST", "/v1/keys", { name: "n", scopes })).body;
}

async function makeToken(ttl: string): Promise<{ id: string; token: string }> {
  const request = { scopes: ["publish:**"], ttl };
  return (await hub.json<{ id: string; token: string }>("POST", "/v1/tokens", request)).body;
}

async function endsWith(publish: OpenPublish, code: string): Promise<void> {
  expect((await publish.publish()).problem?.code).toBe(code);
  expect(await publish.ended()).toBe(true);
}

describe("a stream of lines", () => {
  it("[ACC-35] of a key ends when the key is revoked, and what came before stands", async () => {
    const { id, key } = await makeKey(["publish:**"]);
    const publish = await OpenPublish.start("revoked", key);
    expect((await publish.answer()).offset).toBe(1);
    expect((await publish.publish()).offset).toBe(2);
    await hub.json("POST", "/v1/revocations", { key: id });
    await endsWith(publish, "unauthenticated");
    expect((await hub.read("revoked")).events).toHaveLength(2);
  });

  it("[ACC-35] of a key ends when its secret is rotated away", async () => {
    const { id, key } = await makeKey(["publish:**"]);
    const publish = await OpenPublish.start("rotated", key);
    expect((await publish.answer()).offset).toBe(1);
    expect((await hub.json("POST", `/v1/keys/${id}/rotate`, { overlap: "0s" })).status).toBeLessThan(300);
    await endsWith(publish, "unauthenticated");
  });

  it("[ACC-35] of a token ends when it is revoked, or when its time is over", async () => {
    const revoked = await makeToken("1h");
    const publish = await OpenPublish.start("of-token", revoked.token);
    expect((await publish.answer()).offset).toBe(1);
    await hub.json("POST", "/v1/revocations", { token: revoked.id });
    await endsWith(publish, "credential_revoked");

    const short = await makeToken("1s");
    const shortly = await OpenPublish.start("of-token", short.token);
    expect((await shortly.answer()).offset).toBe(2);
    await expect
      .poll(async () => (await shortly.publish()).problem?.code, { timeout: 10_000 })
      .toBe("credential_expired");
    expect(await shortly.ended()).toBe(true);
  });

  it("[ACC-35] ends with its app, and goes on in no other of its name", async () => {
    const made = (): Promise<unknown> => hub.json("POST", "/v1/apps", { name: "brief" });
    await made();
    const open = (): Promise<OpenPublish> => OpenPublish.start("t", ROOT_KEY, { "tidings-app": "brief" });
    const [publish, late] = [await open(), await open()];
    expect([(await publish.answer()).offset, (await late.answer()).offset]).toEqual([1, 2]);
    expect((await hub.json("DELETE", "/v1/apps/brief")).status).toBeLessThan(300);
    await endsWith(publish, "app_not_found");
    await made();
    await endsWith(late, "app_not_found");
  });
});
