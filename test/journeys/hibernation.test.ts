import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { connectUser } from "../builders/presence.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import type { TestSocket } from "../harness/socket.ts";
import { pause } from "../harness/wait.ts";

const HUB = objectName("hub", "app_default", "native", "any", 0);
const SOCKETS = 200;
/** The runtime puts an object to sleep after ten seconds without an event. */
const IDLE_MS = 13_000;
const PING_EVERY_MS = 500;

let hub: Hub;
let sockets: TestSocket[];
let member: TestSocket;

beforeAll(async () => {
  hub = await startHub();
  sockets = await Promise.all(Array.from({ length: SOCKETS }, () => hub.connect()));
  for (const [index, socket] of sockets.entries()) await socket.subscribe(`room-${index % 20}`);
  member = await connectUser(hub, "ana");
});
afterAll(() => hub.close());

/** An object that is not in memory cannot be taken out of it: the runtime says so. */
const isAwake = (): Promise<boolean> =>
  hub.evict("ChannelHub", HUB).then(
    () => true,
    (error: unknown) => {
      if (String(error).includes("not currently running")) return false;
      throw error;
    },
  );

const pongs = (): number =>
  sockets.reduce((sum, socket) => sum + socket.messages.filter(({ op }) => op === "pong").length, 0);

async function expectEverySocketHears(round: string): Promise<void> {
  for (let room = 0; room < 20; room += 1) await hub.publish(`room-${room}`, { type: round });
  const hears = (socket: TestSocket) => socket.until(() => socket.events().some(({ type }) => type === round), round);
  await Promise.all(sockets.map(hears));
}

describe("200 idle sockets", () => {
  it("[WS-19, PRE-7] let their hub sleep, one of them a member: pings do not wake it, a message does", async () => {
    await expectEverySocketHears("before");
    await member.subscribe("presence-hall", { presence: {} });
    const pinged = Math.floor(IDLE_MS / PING_EVERY_MS);
    for (let round = 0; round < pinged; round += 1) {
      for (const socket of sockets) socket.send('{"op":"ping"}');
      await pause(PING_EVERY_MS);
    }
    await Promise.all(
      sockets.map((socket) =>
        socket.until((messages) => messages.filter(({ op }) => op === "pong").length >= pinged, "every pong"),
      ),
    );
    expect(pongs()).toBe(pinged * SOCKETS);
    expect(await isAwake()).toBe(false);

    await sockets[0]!.ask({ op: "unsubscribe", topic: "nothing" });
    expect(await isAwake()).toBe(true);
  }, 60_000);

  it("[WS-20] hear everything after their hub was thrown out of memory", async () => {
    for (const round of ["after the first eviction", "after the second"]) {
      await expectEverySocketHears(round);
      await hub.evict("ChannelHub", HUB);
    }
    await expectEverySocketHears("after the last");
    expect(sockets.map((socket) => socket.events().map(({ type }) => type))).toEqual(
      sockets.map(() => ["before", "after the first eviction", "after the second", "after the last"]),
    );
  });
});
