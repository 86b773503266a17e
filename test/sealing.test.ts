import { describe, expect, it } from "vitest";
import { isSealedByFirst, keyringOf, openSecret, sealSecret } from "../src/sealing.ts";

const OLD = ["the root key"];
const NEW = ["a secrets key", ...OLD];
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CONTEXT = "webhook:sub-1";

describe("[SEC-4] a sealed secret", () => {
  it("shows nothing of itself, is sealed anew each time, and opens", async () => {
    const [first, second] = [await sealSecret(NEW, CONTEXT, SECRET), await sealSecret(NEW, CONTEXT, SECRET)];
    expect(first).toMatch(/^sealed:v1:[0-9a-f]{8}:[\w-]{16}:[\w-]+$/);
    expect(first).not.toBe(second);
    expect(await openSecret(NEW, CONTEXT, first)).toBe(SECRET);
    expect(await openSecret(NEW, CONTEXT, second)).toBe(SECRET);
  });

  it("keeps text of any kind", async () => {
    for (const text of ["", "é😀\u0000", "x".repeat(10_000)]) {
      expect(await openSecret(NEW, CONTEXT, await sealSecret(NEW, CONTEXT, text))).toBe(text);
    }
  });

  it("does not open elsewhere, nor when any part of it was changed", async () => {
    const sealed = await sealSecret(NEW, CONTEXT, SECRET);
    expect(await openSecret(NEW, "webhook:sub-2", sealed)).toBeNull();
    for (let index = "sealed:".length; index < sealed.length; index += 1) {
      const changed = `${sealed.slice(0, index)}${sealed[index] === "A" ? "B" : "A"}${sealed.slice(index + 1)}`;
      // The last digit of base64 carries bits that mean nothing: a change of those alone changes no byte.
      if (sameBytes(changed, sealed)) continue;
      expect(await openSecret(NEW, CONTEXT, changed), changed).toBeNull();
    }
  });

  it("that is cut or of another version is unreadable, not an error", async () => {
    const sealed = await sealSecret(NEW, CONTEXT, SECRET);
    for (const text of [
      "sealed:",
      "sealed:v1",
      "sealed:v1:::",
      sealed.slice(0, -3),
      sealed.replace("v1", "v2"),
      `${sealed}!`,
    ])
      expect(await openSecret(NEW, CONTEXT, text)).toBeNull();
  });
});

describe("[SEC-5] a ring of keys", () => {
  it("opens with every key and seals with the first", async () => {
    const [before, after] = [await sealSecret(OLD, CONTEXT, SECRET), await sealSecret(NEW, CONTEXT, SECRET)];
    expect(await openSecret(NEW, CONTEXT, before)).toBe(SECRET);
    expect(await openSecret(OLD, CONTEXT, after)).toBeNull();
    expect([await isSealedByFirst(NEW, before), await isSealedByFirst(NEW, after)]).toEqual([false, true]);
  });

  it("has the root key as its last, and none where there is none", () => {
    expect(keyringOf({ secretsKeys: ["a", "b"], rootKey: "r" })).toEqual(["a", "b", "r"]);
    expect(keyringOf({ secretsKeys: [], rootKey: null })).toEqual([]);
  });

  it("lets a secret that was stored before there was sealing through as it is", async () => {
    expect(await openSecret(NEW, CONTEXT, SECRET)).toBe(SECRET);
    expect(await isSealedByFirst(NEW, SECRET)).toBe(false);
  });
});

const sameBytes = (left: string, right: string): boolean =>
  left.slice(0, -1) === right.slice(0, -1) &&
  Buffer.from(left.split(":").at(-1)!, "base64url").equals(Buffer.from(right.split(":").at(-1)!, "base64url"));
