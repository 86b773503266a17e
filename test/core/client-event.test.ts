import { describe, expect, it } from "vitest";
import { announceClientEvent } from "../../src/core/client-event.ts";

describe("[CHN-18] what is announced of a client event", () => {
  const line = '{"specversion":"1.0","id":"e","type":"client-a","data":{"n":1.0,"data":[{"data":2}]}}';
  const announce = (user: string | null) => announceClientEvent({ line, sender: "c1", user }, "private-a", "i1");

  it("holds the event letter by letter, and who sent it", () => {
    const { full } = announce("ann");
    expect(full).toContain(`"user":"ann","event":${line}}}`);
    expect(JSON.parse(full)).toEqual({
      type: "channel.client_event",
      id: "i1",
      source: "/channels",
      subject: "private-a",
      key: "private-a",
      data: { channel: "private-a", connection: "c1", user: "ann", event: JSON.parse(line) as unknown },
    });
  });

  it("leaves the payload out where the whole is too much", () => {
    const { data } = JSON.parse(announce(null).bare) as { data: object };
    const event = { specversion: "1.0", id: "e", type: "client-a" };
    expect(data).toEqual({ channel: "private-a", connection: "c1", event });
  });
});
