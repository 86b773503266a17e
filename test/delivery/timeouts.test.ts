import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Timeouts } from "../../src/delivery/timeouts.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("[WHK-4] each call has the time for itself, however many are under way", () => {
  const timeouts = new Timeouts(1_000);
  const first = timeouts.begin();
  vi.advanceTimersByTime(400);
  const [second, ended] = [timeouts.begin(), timeouts.begin()];
  timeouts.end(ended);
  vi.advanceTimersByTime(599);
  expect([first, second, ended].map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
  vi.advanceTimersByTime(1);
  expect([first, second, ended].map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
  vi.advanceTimersByTime(399);
  expect(second.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect([second, ended].map(({ signal }) => signal.aborted)).toEqual([true, false]);
});

it("[WHK-4] a call that begins when all others have ended is cut in time as well", () => {
  const timeouts = new Timeouts(1_000);
  timeouts.end(timeouts.begin());
  expect(vi.getTimerCount()).toBe(0); // Nothing is kept awake for it.
  vi.advanceTimersByTime(5_000);
  const later = timeouts.begin();
  vi.advanceTimersByTime(1_000);
  expect(later.signal.aborted).toBe(true);
  timeouts.end(later);
  expect(vi.getTimerCount()).toBe(0);
});

it.each([-3_600_000, 3_600_000])("[WHK-4] a clock that is set by %i ms cuts none early, and each in time", (stepMs) => {
  const timeouts = new Timeouts(1_000);
  const first = timeouts.begin();
  vi.advanceTimersByTime(400);
  const second = timeouts.begin();
  vi.setSystemTime(Date.now() + stepMs);
  vi.advanceTimersByTime(600);
  expect([first, second].map(({ signal }) => signal.aborted)).toEqual([true, false]);
  vi.advanceTimersByTime(400);
  expect(second.signal.aborted).toBe(true);
});
