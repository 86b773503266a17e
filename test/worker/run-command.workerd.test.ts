/** A command whose log and whose handler the test plays, so that things go wrong at the instant that it chooses. */
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { CommandDefinition } from "../../src/core/command.ts";
import type { KeyState } from "../../src/core/key-state.ts";
import type { Principal } from "../../src/core/principal.ts";
import { fail, ok } from "../../src/core/result.ts";
import type { Env } from "../../src/env.ts";
import { runCommand } from "../../src/worker/run-command.ts";
import { makeApp } from "../builders/api-keys.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

beforeAll(migrateDatabase);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const UNTOUCHED: KeyState = { kind: "state", snapshot: null, version: 0, body: "", count: 0, through: 0, isLast: true };

/** Sends a command of a key whose events the log answers with `append`. */
async function run(append: (attempt: number) => unknown, timeoutMs = 60_000) {
  const { id: app, name: appName } = await makeApp();
  let attempts = 0;
  const log = {
    keyState: async () => ok(UNTOUCHED),
    append: async () => append((attempts += 1)),
  };
  const handler = {
    fetch: () => null,
    command: async () => ({ kind: "decided", events: [{ type: "told" }], folded: null }),
  };
  const played = { ...env, TOPIC_LOG: { getByName: () => log }, CONSUMER_PLAYED: handler } as unknown as Env;
  const definition: CommandDefinition = {
    id: "c1",
    app,
    name: "tell",
    revision: 1,
    topic: "told",
    target: { kind: "worker", binding: "CONSUMER_PLAYED" },
    schema: null,
    maxAttempts: 5,
    timeoutMs,
    description: null,
  };
  const principal: Principal = {
    kind: "key",
    app,
    appName,
    key: "k",
    secret: "s",
    quotas: {},
    keyQuotas: {},
    scopes: [],
    expiresAt: null,
  };
  return runCommand({
    env: played,
    caller: { principal, request: "r" },
    command: { definition, validator: null },
    sent: { payload: "{}", key: "k", expectedKeyVersion: null },
    request: { key: "r1", fingerprint: "f" },
    defaults: { source: "/apps/a", traceparent: null },
    later: () => undefined,
  });
}

it("[CMD-5] an append whose answer is lost behind the command's time may have appended, and is not said to have lost", async () => {
  const lost = await run((attempt) => {
    if (attempt === 1) return fail("version_conflict"); // So that it decides again, in turn.
    vi.setSystemTime(Date.now() + 60_000);
    throw new Error("the connection was lost");
  });
  expect(lost).toMatchObject({ ok: false, failure: { code: "hub_overloaded" } });
});

it("[CMD-5] a decision that is made behind the command's time, in turn, has lost to others", async () => {
  const late = await run(() => {
    vi.setSystemTime(Date.now() + 60_000);
    return fail("version_conflict");
  });
  expect(late).toMatchObject({ ok: false, failure: { code: "command_contended" } });
});
