/** Requests and frames by chance: nothing breaks, nothing hangs, nothing grows, and nothing that is not theirs changes. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { fuzzFrame, fuzzRequest } from "../builders/fuzz.ts";
import { ROUTES } from "../builders/route-refusals.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";

/** To run one again: FUZZ_SEED from the title, and FUZZ_COUNT for more or fewer. */
const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);
const COUNT = Number(process.env["FUZZ_COUNT"] ?? 20_000);

const ANSWER_WITHIN_MS = 10_000;
const LANES = 16;
/** Of four things one is a frame. */
const FRAMES = Math.floor(COUNT / 4);
const REQUESTS = COUNT - FRAMES;
const FRAMES_PER_SOCKET = 50;
/**
 * What stays for each request would show: a body of 1 KB kept by each of the last two thirds is 13 MB. Beneath it lie
 * caches that fill up to their bounds, and objects that sleep only seconds later.
 */
const HEAP_GROWTH_MB_MAX = 4;

let hub: Hub;
let canary: unknown;

beforeAll(async () => {
  hub = await startHub({ inspected: true });
  await hub.publish("canary", { type: "t", key: "k", data: { note: "nobody touches me" } });
  canary = await lookAtCanary();
});
afterAll(() => hub.close());

const lookAtCanary = async (): Promise<unknown> =>
  Promise.all([hub.json("GET", "/v1/topics/canary").then(({ body }) => body), hub.read("canary")]);

async function sendRequest(random: () => number): Promise<number> {
  const { method, path, headers, body } = fuzzRequest(random, ROUTES);
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const answer = await hub.request(path, { method, headers, body, signal });
    const text = await answer.text();
    if (answer.status >= 500) throw new Error(`${answer.status}: ${text}`);
    return answer.status;
  } catch (error) {
    const sent = body === null ? "" : JSON.stringify(new TextDecoder().decode(body)).slice(0, 2_000);
    throw new Error(`no good answer to ${method} ${path} ${JSON.stringify(headers)} ${sent}`, { cause: error });
  }
}

/** A few frames on a socket of their own. It may be closed for what it sent; while it stays open, it answers. */
async function sendFrames(random: () => number, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += FRAMES_PER_SOCKET) {
    const socket = await hub.connect({ timeoutMs: ANSWER_WITHIN_MS });
    const frames = Array.from({ length: FRAMES_PER_SOCKET }, () => fuzzFrame(random));
    for (const frame of frames) socket.send(frame);
    const answered = socket.ask({ op: "unsubscribe", topic: "probe" }).catch((error: Error) => {
      if (!error.message.startsWith("closed"))
        throw new Error(`no answer behind ${JSON.stringify(frames).slice(0, 4_000)}`, { cause: error });
    });
    await answered;
    await socket.close();
  }
}

async function round(random: () => number, requests: number, frames: number): Promise<number[]> {
  let left = requests;
  const statuses: number[] = [];
  const lane = async (): Promise<void> => {
    while (left-- > 0) statuses.push(await sendRequest(random));
  };
  await Promise.all([...Array.from({ length: LANES }, lane), sendFrames(random, frames)]);
  return statuses;
}

it(`[INP-7] ${COUNT} requests and frames by chance (FUZZ_SEED=${SEED}) break, stop and fill nothing`, async () => {
  const random = seededRandom(SEED);
  // What is made once is made in the first third: topics, objects, caches.
  const statuses = await round(random, Math.floor(REQUESTS / 3), Math.floor(FRAMES / 3));
  const warm = await hub.heapMegabytes();
  statuses.push(...(await round(random, Math.ceil((REQUESTS * 2) / 3), Math.ceil((FRAMES * 2) / 3))));
  const atEnd = await hub.heapMegabytes();

  const counts = Object.fromEntries(
    Object.entries(Object.groupBy(statuses, String)).map(([s, list]) => [s, list!.length]),
  );
  console.log(
    `fuzz: ${JSON.stringify(counts)}, ${(await hub.objectIds("TopicLog")).length} logs, heap ${warm.toFixed(1)} MB, then ${atEnd.toFixed(1)} MB`,
  );
  // A control: behind the parsers something was reached, and not only refused.
  expect((counts["200"] ?? 0) + (counts["201"] ?? 0)).toBeGreaterThan(REQUESTS / 10);
  expect(hub.logs.filter(({ stage }) => stage === "request.failed")).toEqual([]);
  expect(await lookAtCanary()).toEqual(canary);
  expect((await hub.publish("afterwards", { type: "t" })).status).toBe(201);
  expect(atEnd - warm).toBeLessThan(HEAP_GROWTH_MB_MAX);
}, 600_000);
