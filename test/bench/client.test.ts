import { describe, expect, it } from "vitest";
import { formatBatch, formatDraft, scanEvents } from "../../bench/client/events.ts";
import { readBlocks } from "../../bench/client/event-streams.ts";
import { formatTextFrame, OPCODE, readFrames } from "../../bench/client/frames.ts";
import { closedLoop } from "../../bench/client/load.ts";
import { bareDialect, hubDialect, lastCursor } from "../../bench/sides/dialects.ts";

/** As a server sends it: final, unmasked. */
function serverFrame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : length <= 0xffff
        ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([0x80 | opcode, 127]), bigEndian64(length)]);
  return Buffer.concat([head, payload]);
}

function bigEndian64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

describe("events of the bench", () => {
  it("are drafts of about 200 bytes that carry the moment they were sent", () => {
    const draft = formatDraft(7, 1_234.5678);
    expect(JSON.parse(draft)).toMatchObject({ key: "customer-7", data: { sentat: "0000001234.568", order: 7 } });
    expect(draft.length).toBeGreaterThan(180);
    expect(draft.length).toBeLessThan(230);
  });

  it("are found again in any text that holds them, each with its own moment", () => {
    const seen: number[] = [];
    const text = `{"events":${formatBatch(0, 2, 10)},"more":${formatDraft(2, 20.25)}}`;
    expect(scanEvents(Buffer.from(text), (sentAt) => seen.push(sentAt))).toBe(3);
    expect(seen).toEqual([10, 10, 20.25]);
    expect(scanEvents(Buffer.from('{"events":[]}'))).toBe(0);
  });
});

describe("blocks of an event stream", () => {
  it("are read whole, wherever the stream is cut", () => {
    const bytes = Buffer.from(`data: ${formatDraft(1, 10)}\n\ndata: ${formatDraft(2, 20)}\n\n`);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const first = readBlocks(bytes.subarray(0, cut));
      const second = readBlocks(Buffer.concat([first.rest, bytes.subarray(cut)]));
      expect(scanEvents(first.blocks) + scanEvents(second.blocks)).toBe(2);
      expect(second.rest).toHaveLength(0);
    }
  });
});

describe("frames", () => {
  it.each([0, 5, 125, 126, 65_535, 65_536])("of %d bytes are read whole, wherever the stream is cut", (length) => {
    const bytes = Buffer.concat([serverFrame(OPCODE.text, "x".repeat(length)), serverFrame(OPCODE.close, "ab")]);
    for (const cut of [0, 1, 2, 3, 5, 11, bytes.length - 1]) {
      const first = readFrames(bytes.subarray(0, Math.min(cut, bytes.length)));
      const second = readFrames(Buffer.concat([first.rest, bytes.subarray(Math.min(cut, bytes.length))]));
      const frames = [...first.frames, ...second.frames].map(({ opcode, payload }) => [opcode, payload.length]);
      expect(frames).toEqual([
        [OPCODE.text, length],
        [OPCODE.close, 2],
      ]);
      expect(second.rest).toHaveLength(0);
    }
  });

  it("in fragments are refused rather than miscounted", () => {
    expect(() => readFrames(Buffer.from([OPCODE.text, 1, 65]))).toThrow("fragmented");
  });

  it("of a client are masked, with a mask that changes nothing", () => {
    const short = formatTextFrame("ping");
    expect([...short.subarray(0, 6)]).toEqual([0x81, 0x84, 0, 0, 0, 0]);
    expect(short.subarray(6).toString()).toBe("ping");
    const long = formatTextFrame("x".repeat(300));
    expect([...long.subarray(0, 8)]).toEqual([0x81, 0xfe, 1, 44, 0, 0, 0, 0]);
    expect(long).toHaveLength(308);
  });
});

describe("a closed loop", () => {
  it("sends every request once and never more at a time than it has connections", async () => {
    const sent: number[] = [];
    let under = 0;
    let most = 0;
    const { latenciesMs } = await closedLoop(3, 10, async (request) => {
      sent.push(request);
      under += 1;
      most = Math.max(most, under);
      await Promise.resolve();
      under -= 1;
    });
    expect(sent).toEqual(Array.from({ length: 10 }, (_, index) => index));
    expect(most).toBe(3);
    expect(latenciesMs).toHaveLength(10);
  });

  it("ends with the first refusal, because a refused request measures nothing", async () => {
    await expect(closedLoop(2, 5, () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  });
});

describe("dialects", () => {
  it("resume the hub after its last cursor, and the yardstick after what was read", () => {
    const page = Buffer.from('{"events":[{"id":"1"}],"cursor":"AbC-1","caughtUp":false}');
    const hub = hubDialect("key");
    expect(hub.page("t", hub.positionAfter(page, 1), 5)).toBe("/v1/topics/t/events?limit=5&from=cursor:AbC-1");
    const position = bareDialect.positionAfter(Buffer.from("[]"), 1_000);
    expect(bareDialect.page("t", position, 5)).toBe("/v1/t/read?after=1000&limit=5");
  });

  it("acknowledge the last event of a frame that holds several", () => {
    const frame = Buffer.from('[{"op":"event","cursor":"A","event":{}},{"op":"event","cursor":"B","event":{}}]');
    expect(lastCursor(frame)).toBe("B");
    expect(hubDialect("key").socket.acknowledge("t", frame)).toBe('{"op":"ack","topic":"t","cursor":"B"}');
    expect(bareDialect.socket.acknowledge("t", frame)).toBeNull();
  });
});
