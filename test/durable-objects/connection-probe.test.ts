import { expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { Connection, type EventFrame } from "../../src/durable-objects/channel-hub/connection.ts";

const PROBE = "are you there";

function reader(probe: string | null): { connection: Connection; sent: string[] } {
  const sent: string[] = [];
  const socket = { send: (text: string) => sent.push(text) } as unknown as WebSocket;
  const principal = { kind: "root", app: "app_1", appName: "one", quotas: {} } as const;
  return { connection: new Connection(socket, "1.1", principal, { frames: 0, bytes: 0 }, probe), sent };
}

const frames = (count: number, bytes: number): EventFrame[] =>
  Array.from({ length: count }, (_, index) => ({ text: "x".repeat(bytes), offset: index + 1, total: index + 1 }));

it.each([1, 20_000])(
  "[PUS-21] a reader that answers no ping is sent no more than its window, in frames of %i bytes",
  (bytes) => {
    const { connection, sent } = reader(PROBE);
    const taken = connection.sendEvents("t", frames(10_000, bytes));
    expect(taken).toBeLessThanOrEqual(LIMITS.ACK_WINDOW_FRAMES);
    expect(taken * bytes).toBeLessThanOrEqual(LIMITS.ACK_WINDOW_BYTES + bytes);
    expect(sent.filter((text) => text === PROBE).length).toBeGreaterThan(1);
  },
);

it("[PUS-21] each answer acknowledges what was sent before its ping, and no more", () => {
  const { connection, sent } = reader(PROBE);
  let left = frames(10_000, 1);
  while (left.length > 0) {
    const taken = connection.sendEvents("t", left);
    left = left.slice(taken);
    expect(connection.hasRoom).toBe(left.length === 0);
    if (left.length > 0) connection.acknowledgeProbe();
    expect(connection.hasRoom).toBe(true);
  }
  expect(sent.filter((text) => text !== PROBE)).toHaveLength(10_000);
  connection.acknowledgeProbe();
});

it("[PUS-21] one answer makes room for what stood before its ping", () => {
  const { connection } = reader(PROBE);
  const before = connection.sendEvents("t", frames(10_000, 1));
  connection.acknowledgeProbe();
  const after = connection.sendEvents("t", frames(10_000, 1));
  expect(after).toBeGreaterThan(0);
  expect(after).toBeLessThan(before / 2);
});

it("[PUS-21] who acknowledges by itself is not pinged", () => {
  const { connection, sent } = reader(null);
  connection.sendEvents("t", frames(10_000, 1));
  expect(sent).toHaveLength(LIMITS.ACK_WINDOW_FRAMES);
});
