import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { KeyPrincipal, Principal, TokenPrincipal } from "../../src/core/principal.ts";
import { makeRevocation, secretSubject } from "../../src/core/revocation.ts";
import type { Scope } from "../../src/core/scope.ts";
import { packPrincipal, unpackPrincipal } from "../../src/durable-objects/channel-hub/attachment.ts";
import { AccessChangesStore } from "../../src/store/access-changes-store.ts";
import { upgradeRequest } from "../../src/worker/live.ts";
import { HubClient } from "../builders/hub-client.ts";
import { HubWorld } from "../builders/hub-world.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

let world: HubWorld;
const clients: HubClient[] = [];

beforeAll(migrateDatabase);
beforeEach(() => {
  world = new HubWorld();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  world.close();
});

const EVERYTHING: readonly Scope[] = [{ action: "subscribe", pattern: "**" }];

const makePrincipal = (more: Partial<TokenPrincipal> = {}): TokenPrincipal => ({
  kind: "token",
  app: world.app,
  appName: "tests",
  quotas: {},
  key: "AAAAAAAAAAAA",
  keyQuotas: {},
  token: "t-1",
  user: null,
  scopes: EVERYTHING,
  keyScopes: EVERYTHING,
  issuedAt: Date.now(),
  expiresAt: Date.now() + 600_000,
  ...more,
});

const makeKeyPrincipal = (secret: string): KeyPrincipal => ({
  kind: "key",
  app: world.app,
  appName: "tests",
  quotas: {},
  key: "AAAAAAAAAAAA",
  secret,
  keyQuotas: {},
  scopes: EVERYTHING,
  expiresAt: null,
});

async function connect(principal: Principal): Promise<HubClient> {
  const client = await HubClient.open(principal, 50);
  clients.push(client);
  return client;
}

const upgrade = async (principal: Principal): Promise<Response> => world.hub.fetch(upgradeRequest(principal, null));

const alarmAt = (): Promise<number | null> => runInDurableObject(world.hub, (_hub, { storage }) => storage.getAlarm());

/** As large as limits.ts lets them be; each character of the user's data takes two units where it can. */
function largestPrincipal(): TokenPrincipal {
  const count = LIMITS.CREDENTIAL_SCOPES_MAX;
  // As JSON each scope has two quotes and a comma around it.
  const patternChars = Math.floor(LIMITS.CREDENTIAL_SCOPES_BYTES_MAX / count) - "subscribe:".length - 3;
  const scopes = Array.from({ length: count }, (_, index): Scope => {
    return { action: "subscribe", pattern: `${index}.`.padEnd(patternChars, "x") };
  });
  const data = `"${"é\\\\".repeat((LIMITS.USER_DATA_BYTES_MAX - 2) / 4)}"`;
  const user = { id: "é".repeat(LIMITS.USER_ID_BYTES_MAX / 2), data };
  const quota = Number.MAX_SAFE_INTEGER;
  const keyQuotas = { requestsPerSecond: quota, eventsPerDay: quota, bytesPerDay: quota, sockets: quota };
  const quotas = { ...keyQuotas, channelsPerSocket: 100, framesPerSecond: quota, topics: quota, subscriptions: quota };
  const names = { appName: "a".repeat(LIMITS.APP_NAME_CHARS_MAX), token: "j".repeat(64) };
  return makePrincipal({ scopes, keyScopes: scopes, user, quotas, keyQuotas, ...names });
}

describe("a principal", () => {
  it("[WS-27] of the largest size goes through the upgrade, and is the same after a sleep", async () => {
    const principal = largestPrincipal();
    expect(unpackPrincipal(packPrincipal(principal))).toEqual(principal);
    const client = await connect(principal);
    const topic = (principal.scopes[7] as { pattern: string }).pattern;
    await client.subscribe(topic);
    await world.evict();
    await world.publish(topic);
    await client.until(() => client.offsets().length === 1, "an event after the sleep");
    const again = await client.ask({ op: "subscribe", topic: "other" });
    expect(again).toMatchObject({ op: "error", problem: { code: "scope_missing" } });
  });

  it.each<[string, () => Principal]>([
    ["root", () => world.caller.principal],
    ["a key", () => makeKeyPrincipal("s1")],
    ["a token without a user", () => makePrincipal()],
    ["a user without data", () => makePrincipal({ user: { id: "ada", data: null } })],
    ["a user with data", () => makePrincipal({ user: { id: "ada", data: '{"user":{"id":1},"scopes":["x"]}' } })],
  ])("[WS-27] %s is the same after a sleep", (_name, make) => {
    const principal = make();
    expect(unpackPrincipal(packPrincipal(principal))).toEqual(principal);
  });
});

describe("a revocation", () => {
  it.each<[string, Partial<TokenPrincipal>, "key" | "user" | "token" | "app", () => string]>([
    ["its key", {}, "key", () => "AAAAAAAAAAAA"],
    ["its user", { user: { id: "ada", data: null } }, "user", () => "ada"],
    ["itself", {}, "token", () => "t-1"],
    ["its app", {}, "app", () => world.app],
  ])(
    "[WS-23] of %s outlives a sleep and refuses an upgrade that another isolate let pass",
    async (_n, more, kind, whom) => {
      const principal = makePrincipal(more);
      const client = await connect(principal);
      const bystander = await connect(
        makePrincipal({ key: "BBBBBBBBBBBB", token: "t-2", user: { id: "bob", data: null } }),
      );
      const revocation = makeRevocation(world.app, kind, whom(), Date.now());
      await world.hub.revoke(revocation);
      await world.hub.revoke(revocation);
      expect((await client.closed).code).toBe(4_501);
      await world.evict();
      const refused = await upgrade(principal);
      expect(refused.status).toBe(401);
      expect(await refused.json()).toMatchObject({ failure: { code: "credential_revoked" } });
      if (kind !== "app") expect(await bystander.subscribe("orders")).toMatchObject({ op: "subscribed" });
    },
  );

  it("[WS-23] is forgotten when nothing is left that it could refuse", async () => {
    const old = { ...makeRevocation(world.app, "token", "t-0", 1), expiresAt: Date.now() - 1 };
    await world.hub.revoke(old);
    await world.hub.revoke(makeRevocation(world.app, "token", "t-9", Date.now()));
    expect(await world.rows("SELECT subject FROM revocations")).toEqual([{ subject: "t-9" }]);
  });
});

describe("a hub whose row came after a revocation's", () => {
  const revokeOnlyInRows = async (subject: string): Promise<void> => {
    const revocation = makeRevocation(world.app, "token", subject, Date.now());
    const actor = { app: world.app, actor: "root", request: "r", at: Date.now() };
    const entry = { ...actor, action: "credential.revoked", subject, before: null, after: null } as const;
    const store = new AccessChangesStore(env.DB);
    expect(await store.revoke(revocation, entry)).toBe(true);
  };

  it("[HUB-3] has heard of it before it lets its first socket in, though nobody told it", async () => {
    await revokeOnlyInRows("t-1");
    await revokeOnlyInRows("t-2");
    expect(await (await upgrade(makePrincipal({ token: "t-1" }))).json()).toEqual({
      kind: "refused",
      failure: { code: "credential_revoked" },
    });
    await connect(makePrincipal({ token: "t-3" }));
    await world.evict();
    expect((await upgrade(makePrincipal({ token: "t-2" }))).status).toBe(401);
  });

  it("[HUB-3] lets nobody in while it cannot ask, and asks again", async () => {
    await revokeOnlyInRows("t-1");
    const rename = (from: string, to: string) => env.DB.prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run();
    await rename("access_changes", "access_changes_away");
    await expect(upgrade(makePrincipal({ token: "t-3" }))).rejects.toThrow();
    await rename("access_changes_away", "access_changes");
    expect((await upgrade(makePrincipal({ token: "t-1" }))).status).toBe(401);
    expect((await upgrade(makePrincipal({ token: "t-3" }))).status).toBe(101);
  });
});

describe("a rotation", () => {
  const rotate = (secret: string, until: number): Promise<void> =>
    world.hub.revoke(makeRevocation(world.app, "secret", secretSubject(makeKeyPrincipal(secret)), until));

  it("[ACC-30] ends the sockets of a secret with its overlap, asleep or not, and no other's", async () => {
    const [old, current] = [await connect(makeKeyPrincipal("s1")), await connect(makeKeyPrincipal("s2"))];
    const until = Date.now() + 300;
    await rotate("s1", until);
    expect(await alarmAt()).toBeGreaterThanOrEqual(until);
    expect(await old.subscribe("orders")).toMatchObject({ op: "subscribed" });
    await world.evict();
    await expect.poll(() => Date.now()).toBeGreaterThanOrEqual(until);
    await world.runAlarm();
    expect((await old.closed).code).toBe(4_401);
    expect(await current.subscribe("orders")).toMatchObject({ op: "subscribed" });
  });

  it("[ACC-30] followed by another within the overlap ends the oldest secret's sockets at once", async () => {
    const oldest = await connect(makeKeyPrincipal("s1"));
    await rotate("s1", Date.now() + 600_000);
    await rotate("s1", Date.now());
    expect((await oldest.closed).code).toBe(4_501);
    await rotate("s1", Date.now() + 600_000); // The cron tells the first one again.
    expect((await upgrade(makeKeyPrincipal("s1"))).status).toBe(401);
  });

  it("[ACC-30] bounds and refuses whom an isolate lets in that has not heard of it", async () => {
    const until = Date.now() + 600_000;
    await rotate("s1", until);
    const late = await connect(makeKeyPrincipal("s1"));
    expect(late.messages[0]).toMatchObject({ op: "welcome", expiresAt: new Date(until).toISOString() });
    await rotate("s2", Date.now());
    await world.evict();
    expect((await upgrade(makeKeyPrincipal("s2"))).status).toBe(401);
    expect((await upgrade(makeKeyPrincipal("s3"))).status).toBe(101);
  });
});

describe("the alarm", () => {
  it("[WS-28] stands for the first end, moves with it, and is gone with nobody whose credential ends", async () => {
    const root = await world.connect();
    expect(await alarmAt()).toBeNull();
    const later = Date.now() + 500_000;
    await connect(makePrincipal({ expiresAt: later }));
    expect(await alarmAt()).toBeGreaterThanOrEqual(later);
    const sooner = Date.now() + 100_000;
    await connect(makePrincipal({ expiresAt: sooner }));
    const at = (await alarmAt())!;
    expect(at).toBeGreaterThanOrEqual(sooner);
    expect(at - sooner).toBeLessThanOrEqual(2_000);
    await root.subscribe("orders");
    await world.evict();
    await world.publish("orders");
    await root.until(() => root.offsets().length === 1, "an event");
    expect(await alarmAt()).toBe(at);
  });

  it("[WS-21] that finds a credential past its end closes that socket, and stands for the next", async () => {
    const endsAt = Date.now() + 150;
    const ending = await connect(makePrincipal({ expiresAt: endsAt }));
    const staying = await connect(makePrincipal({ token: "t-2", expiresAt: Date.now() + 300_000 }));
    await world.evict();
    await expect.poll(() => Date.now()).toBeGreaterThanOrEqual(endsAt);
    await world.runAlarm();
    expect((await ending.closed).code).toBe(4_401);
    expect(ending.messages.at(-1)).toMatchObject({ op: "error", problem: { code: "credential_expired" } });
    expect(await alarmAt()).toBeGreaterThan(Date.now() + 200_000);
    expect(await staying.subscribe("orders")).toMatchObject({ op: "subscribed" });
  });

  it("[WS-21] need not come before a message: past its end a client is not heard", async () => {
    const endsAt = Date.now() + 150;
    const client = await connect(makePrincipal({ expiresAt: endsAt }));
    await expect.poll(() => Date.now()).toBeGreaterThanOrEqual(endsAt);
    client.send({ op: "subscribe", topic: "orders", ref: 1 });
    expect((await client.closed).code).toBe(4_401);
    expect(await world.follows()).toEqual([]);
    expect((await upgrade(makePrincipal({ expiresAt: endsAt }))).status).toBe(401);
  });
});
