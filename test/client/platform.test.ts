import { afterEach, expect, it, vi } from "vitest";
import { systemClock } from "../../src/client/platform.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("[CLI-6] waits with a credential that is good for a year as long as a timer can", () => {
  vi.useFakeTimers();
  const renewed = vi.fn();
  systemClock.after(365 * 86_400_000, renewed);
  vi.advanceTimersByTime(24 * 86_400_000);
  expect(renewed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(86_400_000);
  expect(renewed).toHaveBeenCalledOnce();
});
