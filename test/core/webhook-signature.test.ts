import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import {
  decodeWebhookSecret,
  decodeWebhookSeed,
  encodeWebhookPublicKey,
  encodeWebhookSecret,
  encodeWebhookSeed,
} from "../../src/core/webhook-signature.ts";
import { publicKeyOf, signWebhook } from "../../src/delivery/sign.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("signatures", () => {
  const test = `{"test": 2432232314}`;
  const contact =
    `{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z",` +
    `"data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}`;

  it.each([
    ["msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, test, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
    ["msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", 1_674_087_231, contact, "ARw42xaAApl/nxRo+iPGYwSaMQaOwMo2eyH5JBRA+bQ="],
  ])("[WHK-1] %s has the signature of the specification's vector", async (id, timestamp, body, signature) => {
    expect(await signWebhook([SECRET], id, timestamp, body)).toEqual({
      signature: `v1,${signature}`,
      body: new TextEncoder().encode(body),
    });
  });

  it("[WHK-12] an Ed25519 key makes the signature and the public half of the vector", async () => {
    const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
    const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    expect(encodeWebhookPublicKey(await publicKeyOf(seed))).toBe("whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=");
    const { signature } = await signWebhook([encodeWebhookSeed(seed), SECRET], id, 1_614_265_330, test);
    expect(signature).toBe(
      "v1a,yoUrgEkc12aGqm0n4Sydmdz55xJfTz4AsAgieHFjmkR7LJtqVCZOQYzvvHjI5kAey+r4iaBGxTFRrl2iBQxtDQ== " +
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  it("[WHK-1] the official verifier accepts ours, over bodies that are not ASCII", async () => {
    const secret = encodeWebhookSecret(crypto.getRandomValues(new Uint8Array(32)));
    const timestamp = Math.floor(Date.now() / 1_000);
    const body = `{"data":"schöne Grüße 日本 😀"}`;
    const headers = {
      "webhook-id": "msg_a_1_2",
      "webhook-timestamp": String(timestamp),
      "webhook-signature": (await signWebhook([secret], "msg_a_1_2", timestamp, body)).signature,
    };
    expect(new Webhook(secret).verify(body, headers)).toEqual({ data: "schöne Grüße 日本 😀" });
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
  });
});

describe("secrets", () => {
  it("[WHK-2] go into text and back", () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
    expect(decodeWebhookSecret(encodeWebhookSecret(bytes))).toEqual(bytes);
    expect(decodeWebhookSecret(SECRET)).toHaveLength(24);
  });

  it.each([
    "",
    "whsec_",
    SECRET.slice("whsec_".length),
    "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
    "whsec_short",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",
    `whsec_${"A".repeat(88)}`,
    ` ${SECRET}`,
    `${SECRET}\n`,
  ])("[WHK-2] %j is none", (text) => {
    expect(decodeWebhookSecret(text)).toBeNull();
  });

  it.each(["whsk_", `whsk_${btoa("x".repeat(31))}`, `whsk_${btoa("x".repeat(33))}`, SECRET])(
    "[WHK-12] %j is no private key",
    (text) => {
      expect(decodeWebhookSeed(text)).toBeNull();
    },
  );
});
