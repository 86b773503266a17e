import { expect, it } from "vitest";
import type { ClaimAnswer } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import { consumeDeadLetters } from "../../src/queues/dead-letters.ts";
import { consumeDeliveries } from "../../src/queues/deliveries.ts";
import { parseDispatchMessage } from "../../src/queues/messages.ts";

const DISPATCH = { v: 1, app: "app", subscription: "sub", dispatch: 7, events: [] };

/** One message of a queue, and a ledger that answers as told; what happens is written down in order. */
async function consume(
  consumer: typeof consumeDeliveries,
  body: unknown,
  ledger: {
    claim?: () => Promise<ClaimAnswer>;
    ring?: () => Promise<void>;
  },
): Promise<string[]> {
  const calls: string[] = [];
  const message = {
    id: "m1",
    attempts: 1,
    body,
    ack: () => {
      calls.push("ack");
    },
    retry: ({ delaySeconds }: { delaySeconds: number }) => {
      calls.push(`retry ${delaySeconds}`);
    },
  };
  const stub = {
    claim: (dispatch: number) => {
      calls.push(`claim ${dispatch}`);
      return ledger.claim!();
    },
    ring: (dispatch: number) => {
      calls.push(`ring ${dispatch}`);
      return ledger.ring!();
    },
  };
  const env = {
    SUBSCRIPTION: {
      getByName: (name: string) => {
        calls.push(name);
        return stub;
      },
    },
  } as unknown as Env;
  const context = {
    waitUntil: () => {
      calls.push("work");
    },
  } as unknown as ExecutionContext;
  await consumer({ queue: "q", messages: [message] } as unknown as MessageBatch, env, context);
  return calls;
}

const LEDGER = `["subscription","app","sub"]`;

it("[DLV-11] a dispatch that somebody else has, or that is settled, is acknowledged", async () => {
  const calls = await consume(consumeDeliveries, DISPATCH, { claim: async () => ({ kind: "nothing" }) });
  expect(calls).toEqual([LEDGER, "claim 7", "ack"]);
});

it("[DLV-11] a message is acknowledged once it is claimed, not before, and the work goes on behind it", async () => {
  const definition = { name: "shop", timeoutMs: 1 };
  const claimed = { kind: "claimed", claim: 1, deliveries: [], definition } as unknown as ClaimAnswer;
  const calls = await consume(consumeDeliveries, DISPATCH, { claim: async () => claimed });
  expect(calls.slice(0, 3)).toEqual([LEDGER, "claim 7", "ack"]);
  expect(calls).toContain("work");
});

it("[DLV-11] a message that cannot be claimed is left to the platform's retries", async () => {
  const calls = await consume(consumeDeliveries, DISPATCH, { claim: () => Promise.reject(new Error("not there")) });
  expect(calls).toEqual([LEDGER, "claim 7", "retry 2"]);
});

it.each([null, "text", 7, {}, { ...DISPATCH, v: 2 }, { ...DISPATCH, dispatch: "7" }, { ...DISPATCH, events: null }])(
  "[DLV-11] %j is no dispatch: it is never guessed, and ends where its reason is logged",
  async (body) => {
    expect(parseDispatchMessage(body)).toBeNull();
    expect(await consume(consumeDeliveries, body, {})).toEqual(["retry 2"]);
    expect(await consume(consumeDeadLetters, body, {})).toEqual(["ack"]);
  },
);

it("[DLV-11] what the platform gave up rings its ledger, and is acknowledged after that", async () => {
  expect(await consume(consumeDeadLetters, DISPATCH, { ring: async () => undefined })).toEqual([
    LEDGER,
    "ring 7",
    "ack",
  ]);
  expect(await consume(consumeDeadLetters, DISPATCH, { ring: () => Promise.reject(new Error("not there")) })).toEqual([
    LEDGER,
    "ring 7",
    "retry 30",
  ]);
});
