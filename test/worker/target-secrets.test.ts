import { describe, expect, it } from "vitest";
import { HIDDEN_VALUE } from "../../src/core/custom-headers.ts";
import type { Target } from "../../src/core/subscription.ts";
import { openTarget } from "../../src/delivery/open-target.ts";
import type { Env } from "../../src/env.ts";
import type { TargetRequest } from "../../src/wire/native/target-definition.ts";
import { sealTarget, type SealedTarget } from "../../src/worker/target-secrets.ts";

type WebhookTarget = Extract<Target, { kind: "webhook" }>;

const OLD = ["old"];
const NEW = ["new", ...OLD];
const ENV = { SECRETS_KEY: "new,old" } as Env;
const SECRET = `whsec_${btoa("a secret of twenty-six byte")}`;

const requestOf = (secret: string | null, headers: Record<string, string> = {}): TargetRequest => ({
  kind: "webhook",
  url: "https://acme.com/",
  headers,
  secret,
});

async function seal(
  request: TargetRequest,
  previous: Target | null = null,
  keyring = NEW,
): Promise<SealedTarget & { readonly target: WebhookTarget }> {
  const sealed = await sealTarget(keyring, "sub", request, previous);
  if (!sealed.ok) throw new Error(JSON.stringify(sealed.failure));
  return sealed.value as SealedTarget & { readonly target: WebhookTarget };
}

describe("a webhook's secrets", () => {
  it("[SEC-8] are nowhere in what is stored, and open for the subscription they were sealed for", async () => {
    const { target, mintedSecret } = await seal(requestOf(SECRET, { "X-Api-Key": "the canary" }));
    expect(mintedSecret).toBeNull();
    expect(JSON.stringify(target)).not.toMatch(/whsec_|canary/);
    expect(await openTarget({ SECRETS_KEY: "lost" } as Env, "sub", target, Date.now())).toBeNull();
    expect(await openTarget(ENV, "sub", target, Date.now())).toEqual({
      secrets: [SECRET],
      headers: { "X-Api-Key": "the canary" },
    });
    expect(await openTarget(ENV, "other", target, Date.now())).toBeNull();
  });

  it("[SEC-8] do not open under another header's name", async () => {
    const { target } = await seal(requestOf(SECRET, { "X-Api-Key": "the canary" }));
    const moved = { ...target, headers: { "X-Seen": target.headers["X-Api-Key"]! } };
    expect(await openTarget(ENV, "sub", moved, Date.now())).toBeNull();
  });

  it("[SUB-1] are minted when the owner brings none, and kept by the next PUT", async () => {
    const first = await seal(requestOf(null));
    expect(first.mintedSecret).toMatch(/^whsec_/);
    expect(await openTarget(ENV, "sub", first.target, Date.now())).toMatchObject({ secrets: [first.mintedSecret] });
    expect(await seal(requestOf(null), first.target)).toEqual({ target: first.target, mintedSecret: null });
  });

  it("[SEC-9] keep their sealed text when a PUT says the same", async () => {
    const headers = { "X-A": "one", "X-B": "two" };
    const { target } = await seal(requestOf(SECRET, headers));
    expect((await seal(requestOf(SECRET, headers), target)).target).toEqual(target);
    expect((await seal(requestOf(null, { "X-A": HIDDEN_VALUE, "X-B": "two" }), target)).target).toEqual(target);
    const changed = (await seal(requestOf(SECRET, { ...headers, "X-B": "three" }), target)).target;
    expect(changed.headers["X-A"]).toBe(target.headers["X-A"]);
    expect(await openTarget(ENV, "sub", changed, Date.now())).toMatchObject({
      headers: { "X-A": "one", "X-B": "three" },
    });
  });

  it("[SEC-9] come under the new key with the next PUT, those from before there was sealing too", async () => {
    const plain: WebhookTarget = {
      kind: "webhook",
      url: "https://acme.com/",
      headers: { "X-A": "one" },
      secret: SECRET,
    };
    const old = (await seal(requestOf(null, { "x-a": HIDDEN_VALUE }), plain, OLD)).target;
    const renewed = (await seal(requestOf(null, { "X-A": HIDDEN_VALUE }), old)).target;
    expect(await openTarget({ SECRETS_KEY: "old" } as Env, "sub", old, Date.now())).toEqual({
      secrets: [SECRET],
      headers: { "x-a": "one" },
    });
    expect(await openTarget({ SECRETS_KEY: "new" } as Env, "sub", renewed, Date.now())).toEqual({
      secrets: [SECRET],
      headers: { "X-A": "one" },
    });
  });

  it("[SEC-9] that nothing opens stay as they are", async () => {
    const lost = (await seal(requestOf(SECRET, { "X-A": "one" }), null, ["lost"])).target;
    expect((await seal(requestOf(null, { "X-A": HIDDEN_VALUE }), lost)).target).toEqual(lost);
  });

  it("[SEC-8] are not sent along to another host", async () => {
    const { target } = await seal(requestOf(SECRET, { "X-A": "one" }));
    const moved = (url: string) =>
      sealTarget(NEW, "sub", { ...requestOf(null, { "X-A": HIDDEN_VALUE }), url } as TargetRequest, target);
    expect(await moved("https://evil.com/")).toMatchObject({
      failure: { code: "subscription_invalid", errors: [{ pointer: "/target/headers/X-A" }] },
    });
    expect((await moved("https://acme.com/elsewhere")).ok).toBe(true);
  });

  it("[SEC-8] cannot be kept where there are none", async () => {
    expect(await sealTarget(NEW, "sub", requestOf(SECRET, { "X-A": HIDDEN_VALUE }), null)).toMatchObject({
      failure: { code: "subscription_invalid", errors: [{ pointer: "/target/headers/X-A" }] },
    });
  });
});
