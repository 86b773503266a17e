/** What a browser token asks of D1: nothing before its signature is good, and nothing when it is known. */
import { CompactSign } from "jose";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../../src/config.ts";
import { LIMITS } from "../../../src/core/limits.ts";
import { keyringOf, sealSecret } from "../../../src/sealing.ts";
import { rootTokenKey } from "../../../src/worker/access/token-keys.ts";
import { signToken, verifyToken } from "../../../src/worker/access/tokens.ts";
import { parseTokenClaims } from "../../../src/wire/native/token-claims.ts";
import { makeApp, makeKey, WatchedDatabase, type MadeKey } from "../../builders/api-keys.ts";
import { valueOf } from "../../builders/log.ts";
import { env, migrateDatabase } from "../../builders/objects.ts";

const config = readConfig(env);
const secret = crypto.getRandomValues(new Uint8Array(32));
let key: MadeKey;

beforeAll(async () => {
  await migrateDatabase();
  const app = await makeApp({ name: "tokens" });
  key = await makeKey({ app, tokenKey: "" }, ["publish:**"]);
  const base64 = btoa(String.fromCharCode(...secret))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  const sealed = await sealSecret(keyringOf(config), `token:${key.record.id}`, base64);
  await env.DB.prepare("UPDATE api_keys SET token_key = ?1 WHERE id = ?2").bind(sealed, key.record.id).run();
});

const claimsText = (aud = "/apps/tokens"): string => {
  const now = Math.floor(Date.now() / 1_000);
  return JSON.stringify({
    iss: "tidings",
    aud,
    iat: now,
    exp: now + 60,
    jti: crypto.randomUUID(),
    scopes: ["publish:a"],
  });
};

const sign = (kid: string, secretOf: Uint8Array = secret, text = claimsText()): Promise<string> =>
  new CompactSign(new TextEncoder().encode(text)).setProtectedHeader({ alg: "HS256", kid }).sign(secretOf);

async function verify(token: string, times = 1): Promise<{ codes: string[]; asked: string[] }> {
  const watched = new WatchedDatabase();
  const codes: string[] = [];
  for (let time = 0; time < times; time += 1) {
    const who = await verifyToken({ env: { ...env, DB: watched.database } }, config, token, Date.now());
    codes.push(who.ok ? who.value.app.name : who.failure.code);
  }
  return { codes, asked: watched.asked };
}

describe("a token", () => {
  it.each(["../../x", "' OR 1=1 --", "", "a".repeat(13), "short", "root/../x", "AAAAAAAAAAA%"])(
    "[TOK-6] whose kid %j no key can have is looked up nowhere",
    async (kid) => expect(await verify(await sign(kid))).toEqual({ codes: ["token_invalid"], asked: [] }),
  );

  it("[TOK-6] that says root without the hub's signature has no app looked up for it", async () => {
    const forged = await sign("root", secret, claimsText("/apps/nobody"));
    expect(await verify(forged)).toEqual({ codes: ["token_invalid"], asked: [] });
  });

  it("[TOK-6] that came before costs neither a look-up nor a signature", async () => {
    const token = await sign(key.record.id);
    const first = await verify(token);
    expect(first.codes).toEqual(["tokens"]);
    expect(first.asked).toHaveLength(1);
    const signatures = vi.spyOn(crypto.subtle, "verify");
    await verify(await sign(key.record.id));
    expect(signatures).toHaveBeenCalledTimes(1); // It would be seen.
    const known = await verify(token, 100);
    expect(signatures).toHaveBeenCalledTimes(1);
    signatures.mockRestore();
    expect(known.codes).toEqual(Array.from({ length: 100 }, () => "tokens"));
    expect(known.asked).toEqual([]);
  });

  it("[TOK-6] that is known is still past its end when that has come", async () => {
    const token = await sign(key.record.id);
    expect((await verify(token)).codes).toEqual(["tokens"]);
    const later = await verifyToken({ env }, config, token, Date.now() + 61_000);
    expect(later).toMatchObject({ ok: false, failure: { code: "credential_expired" } });
  });

  it("[TOK-7] of the root key does not open an app that was made later under its app's name", async () => {
    const rootKey = await rootTokenKey(config);
    const claims = { ...valueOf(parseTokenClaims(claimsText("/apps/tokens"))), app: "app_that_was" };
    expect((await verify(await signToken(rootKey, claims))).codes).toEqual(["token_invalid"]);
    const current = await signToken(rootKey, { ...claims, app: key.record.app.id });
    expect((await verify(current)).codes).toEqual(["tokens"]);
  });

  it("[TOK-21] is no longer known when a thousand others have come", async () => {
    const first = await sign(key.record.id);
    const others = await Promise.all(Array.from({ length: LIMITS.TOKEN_CACHE_ENTRIES_MAX }, () => sign(key.record.id)));
    await verify(first);
    for (const other of others) expect((await verify(other)).codes).toEqual(["tokens"]);
    const signatures = vi.spyOn(crypto.subtle, "verify");
    await verify(others.at(-1)!);
    expect(signatures).not.toHaveBeenCalled();
    await verify(first);
    expect(signatures).toHaveBeenCalledTimes(1);
    signatures.mockRestore();
  });
});
