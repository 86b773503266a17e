import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { WebhookTarget } from "../../src/core/subscription.ts";
import { previousUntil, rotateSecrets, sealedSigners } from "../../src/core/webhook-secrets.ts";

const NOW = 1_000_000;
const HOUR = 3_600_000;

const TARGET: WebhookTarget = { kind: "webhook", url: "https://acme.com/", headers: {}, secret: "s1" };
const KEYED: WebhookTarget = { ...TARGET, signing: "both", signingKey: { privateKey: "k1", publicKey: "p1" } };

const rotate = (target: WebhookTarget, secret: string, overlapMs: number, now: number): WebhookTarget => {
  const signingKey = target.signing === undefined ? undefined : { privateKey: `k${secret}`, publicKey: "p" };
  return rotateSecrets(target, { secret, signingKey }, overlapMs, now)!;
};

describe("[WHK-10] a rotation", () => {
  it("lets the secret before sign beside the new one until the overlap ends", () => {
    const rotated = rotate(TARGET, "s2", HOUR, NOW);
    expect(sealedSigners(rotated, NOW)).toEqual(["s2", "s1"]);
    expect(sealedSigners(rotated, NOW + HOUR - 1)).toEqual(["s2", "s1"]);
    expect(sealedSigners(rotated, NOW + HOUR)).toEqual(["s2"]);
    expect(previousUntil(rotated, NOW)).toBe(NOW + HOUR);
    expect(previousUntil(rotated, NOW + HOUR)).toBeNull();
  });

  it("neither prolongs nor cuts short an older secret, and an overlap of nothing ends them all", () => {
    const twice = rotate(rotate(TARGET, "s2", HOUR, NOW), "s3", 2 * HOUR, NOW + 1);
    expect(sealedSigners(twice, NOW + HOUR)).toEqual(["s3", "s2"]);
    const shorter = rotate(rotate(TARGET, "s2", 2 * HOUR, NOW), "s3", HOUR, NOW);
    expect(sealedSigners(shorter, NOW + HOUR)).toEqual(["s3", "s1"]);
    expect([previousUntil(shorter, NOW), sealedSigners(shorter, NOW + 2 * HOUR)]).toEqual([NOW + 2 * HOUR, ["s3"]]);
    expect(rotate(twice, "s4", 0, NOW + 2)).toEqual({ ...TARGET, secret: "s4", previousSecrets: [] });
  });

  it("is refused when more would be good at once than may be, and forgets those that have ended", () => {
    let target = TARGET;
    for (let index = 2; index <= LIMITS.SIGNING_KEYS_MAX; index += 1) target = rotate(target, `s${index}`, HOUR, NOW);
    expect(sealedSigners(target, NOW)).toEqual(["s5", "s4", "s3", "s2", "s1"]);
    expect(rotateSecrets(target, { secret: "s6", signingKey: undefined }, HOUR, NOW)).toBeNull();
    expect(rotate(target, "s6", HOUR, NOW + HOUR).previousSecrets).toEqual([{ secret: "s5", until: NOW + 2 * HOUR }]);
  });
});

describe("[WHK-12] a target signs", () => {
  it.each([
    [TARGET, ["s1"]],
    [KEYED, ["s1", "k1"]],
    [{ ...KEYED, signing: "ed25519" as const }, ["k1"]],
  ])("%j", (target, signers) => {
    expect(sealedSigners(target, NOW)).toEqual(signers);
  });

  it("with what it signed with before a rotation as well", () => {
    expect(sealedSigners(rotate(KEYED, "s2", HOUR, NOW), NOW)).toEqual(["s2", "ks2", "s1", "k1"]);
    const keyOnly = rotate({ ...KEYED, signing: "ed25519" }, "s1", HOUR, NOW);
    expect(sealedSigners(keyOnly, NOW)).toEqual(["ks1", "k1"]);
  });
});
