import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";

const SHOP = "https://shop.example";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

/** An isolate that has just begun, and a database that lists the shop, when it answers. */
async function startIsolate() {
  vi.resetModules();
  const { isListedOrigin } = await import("../../src/worker/origin-directory.ts");
  const listed = { results: [{ origin: SHOP }] };
  const state = { asked: 0, answer: (): Promise<typeof listed> => Promise.resolve(listed) };
  const all = (): Promise<typeof listed> => {
    state.asked += 1;
    return state.answer();
  };
  const database = { prepare: () => ({ all }) } as unknown as D1Database;
  return { state, listed, isListed: (origin: string) => isListedOrigin(database, origin) };
}

const fails = (): Promise<never> => Promise.reject(new Error("D1_ERROR: Network connection lost."));

it("[ACC-40] a listed origin is found by all who ask at once, while the first question is on its way", async () => {
  const { state, listed, isListed } = await startIsolate();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  state.answer = () => released.then(() => listed);
  const answers = Promise.all([isListed(SHOP), isListed(SHOP)]);
  release();
  expect(await answers).toEqual([true, true]);
});

it("[ACC-40] a listed origin is found at once when D1 answers again", async () => {
  const { state, isListed } = await startIsolate();
  const { answer } = state;
  state.answer = fails;
  await expect(isListed(SHOP)).rejects.toThrow("D1_ERROR");
  state.answer = answer;
  expect(await isListed(SHOP)).toBe(true);
});

it("[ACC-40] an origin that was listed stays so while D1 cannot be asked", async () => {
  const { state, isListed } = await startIsolate();
  expect(await isListed(SHOP)).toBe(true);
  pass(LIMITS.CONFIG_CACHE_MS);
  state.answer = fails;
  expect(await isListed(SHOP)).toBe(true);
});

it("[ACC-40] strangers make a warm isolate ask once a second", async () => {
  const { state, isListed } = await startIsolate();
  await isListed(SHOP);
  pass(LIMITS.ACCESS_REFRESH_MS);
  await Promise.all(Array.from({ length: 20 }, (_, index) => isListed(`https://${index}.example`)));
  expect(state.asked).toBe(2);
});
