import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { EventStreams } from "../../bench/client/event-streams.ts";
import { absenceOf, findProgram, PEERS, versionOf } from "../../bench/peers/peers.ts";
import { PEER_MEASURES } from "../../bench/peers/measures.ts";
import { Side, stopSides } from "../../bench/sides/side.ts";
import { REPOSITORY } from "../harness/bundle.ts";

describe("the peers of the bench", () => {
  it("are skipped by name where their program is not installed, and nothing fails", () => {
    const args = [join(REPOSITORY, "bench", "run.ts"), "--peers", "--only", "append-1-redis"];
    const printed = execFileSync(process.execPath, args, { env: { PATH: "" }, encoding: "utf8" });
    const absence = "redis-server is not installed (a Debian package of that name has it)";
    expect(printed).toContain(`… skipped: ${absence}\n`);
    expect(printed).toContain(`SKIPPED: append-1-redis-always (${absence}), append-1-redis-everysec (${absence}).`);
    expect(printed).not.toContain("NOT MEASURED");
  });

  it("are found where they are installed, and what came with npm always is", () => {
    expect(findProgram("node", ["/nowhere", dirname(process.execPath)])).toBe(join(dirname(process.execPath), "node"));
    expect(absenceOf(PEERS.nats, ["/nowhere"])).toContain("nats-server is not installed");
    expect(absenceOf(PEERS.durableStreams, [])).toBeNull();
    for (const peer of [PEERS.durableStreams, PEERS.partyServer, PEERS.socketIo]) {
      expect(versionOf(peer)).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  it("are each measured in what they can do", () => {
    expect(PEER_MEASURES.map(({ name }) => name)).toEqual([
      ...["durable-streams", "redis-always", "redis-everysec", "nats"].map((peer) => `append-1-${peer}`),
      ...["durable-streams", "redis-always", "redis-everysec", "nats"].map((peer) => `append-100-${peer}`),
      "read-durable-streams",
      "sse-20-durable-streams",
      "broadcast-1000-partyserver",
      "broadcast-1000-socket-io",
    ]);
  });

  it("are asked for the same: events of a log reach those who read its stream, each once", async () => {
    try {
      const side = await Side.start("durable-streams");
      const { dialect, http } = side;
      const { method, path, body } = dialect.createTopic("orders")!;
      await http.send(method, path, body);
      const streams = await EventStreams.open(side, "orders", 1);
      await http.post(dialect.publishMany("orders"), '[{"sentat":"0000000000.000"},{"sentat":"0000000000.000"}]');
      expect(await streams.received(2)).toHaveLength(2);
      streams.close();
    } finally {
      await stopSides();
    }
  });
});
