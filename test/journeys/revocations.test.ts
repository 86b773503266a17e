import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { TestSocket, type HubMessage } from "../harness/socket.ts";

interface Token {
  readonly token: string;
  readonly id: string;
}

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
  await hub.json("POST", "/v1/apps", { name: "other" });
});
afterAll(() => hub.close());

const bearer = (credential: string): Record<string, string> => ({ authorization: `Bearer ${credential}` });
const revoke = (what: object, headers: Record<string, string> = {}): Promise<Answer<Record<string, unknown>>> =>
  hub.json("POST", "/v1/revocations", what, headers);

async function makeKey(scopes: readonly string[], app = "default"): Promise<{ id: string; key: string }> {
  return (await hub.json<{ id: string; key: string }>("POST", "/v1/keys", { name: "n", scopes, app })).body;
}

async function makeToken(user: string | null, headers: Record<string, string> = {}): Promise<Token> {
  const named = user === null ? {} : { user: { id: user } };
  const request = { scopes: ["publish:**", "subscribe:**"], ...named };
  const { status, body } = await hub.json<Token>("POST", "/v1/tokens", request, headers);
  expect(status).toBe(201);
  return body;
}

/** "good", or the code of the refusal. */
async function tryOut(credential: string): Promise<unknown> {
  const { status, body } = await hub.publish("t", { type: "t" }, bearer(credential));
  return status === 201 ? "good" : (body as unknown as { readonly code: string }).code;
}

const tryAll = (credentials: readonly string[]): Promise<unknown[]> => Promise.all(credentials.map(tryOut));

const openSocket = (credential: string): Promise<TestSocket> =>
  TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${credential}`);

const isTold = ({ op, problem }: HubMessage): boolean =>
  op === "error" && (problem as { readonly code: string }).code === "credential_revoked";

describe("a revocation", () => {
  it("[ACC-9] of a user ends the tokens issued until then, with their sockets, and nobody else's", async () => {
    const { key } = await makeKey(["publish:**", "subscribe:**"]);
    const tokens = [await makeToken("ada"), await makeToken("ada", bearer(key))];
    const others = [await makeToken("bob"), await makeToken(null), await makeToken("ada", { "tidings-app": "other" })];
    const sockets = await Promise.all(tokens.map(({ token }) => openSocket(token)));
    expect(await tryAll([...tokens, ...others].map(({ token }) => token))).toEqual(Array(5).fill("good"));

    const { status, body } = await revoke({ user: "ada" });
    expect([status, body["kind"], body["subject"]]).toEqual([201, "user", "ada"]);
    expect(Date.parse(body["at"] as string)).toBeLessThanOrEqual(Date.now());
    expect(await tryAll(tokens.map(({ token }) => token))).toEqual(Array(2).fill("credential_revoked"));
    for (const socket of sockets) await socket.message(isTold, "the socket is told");
    await expect(openSocket(tokens[0]!.token)).rejects.toThrow();
    expect(await tryAll(others.map(({ token }) => token))).toEqual(Array(3).fill("good"));
    expect(await tryOut((await makeToken("ada")).token)).toBe("good");
    expect(await tryOut(key)).toBe("good");
  });

  it("[ACC-9] of one token ends that one, named by its id or by itself", async () => {
    const [byId, byItself, other] = [await makeToken("cy"), await makeToken("cy"), await makeToken("cy")];
    expect((await revoke({ token: byId.id })).body).toMatchObject({ kind: "token", subject: byId.id });
    expect((await revoke({ token: byItself.token })).body).toMatchObject({ kind: "token", subject: byItself.id });
    expect(await tryAll([byId.token, byItself.token, other.token])).toEqual([
      "credential_revoked",
      "credential_revoked",
      "good",
    ]);
  });

  it("[ACC-8] of a key ends its tokens as well, and their sockets", async () => {
    const [revoked, steady] = [
      await makeKey(["publish:**", "subscribe:**"]),
      await makeKey(["publish:**", "subscribe:**"]),
    ];
    const [lost, kept] = [await makeToken("di", bearer(revoked.key)), await makeToken("di", bearer(steady.key))];
    const socket = await openSocket(lost.token);
    expect(await tryAll([lost.token, kept.token])).toEqual(["good", "good"]);
    expect((await revoke({ key: revoked.id })).status).toBe(201);
    const answers = await tryAll([lost.token, kept.token, revoked.key, steady.key]);
    expect(answers.slice(1)).toEqual(["good", "unauthenticated", "good"]);
    expect(["token_invalid", "credential_revoked"]).toContain(answers[0]);
    await socket.message(isTold, "the socket is told");
  });

  it("[ACC-9] of root ends what the hub signed for the root key until then, and not the root key", async () => {
    const token = await makeToken("ed");
    expect((await revoke({ key: "root" })).body).toMatchObject({ kind: "key", subject: "root" });
    expect(await tryOut(token.token)).toBe("credential_revoked");
    expect(await tryOut((await makeToken("ed")).token)).toBe("good");
    expect((await hub.json("GET", "/v1/topics")).status).toBe(200);
  });

  it("[ACC-9] is for who holds admin, and reaches no other app", async () => {
    const admin = await makeKey(["admin"], "other");
    const token = await makeToken("flo");
    expect((await revoke({ user: "flo" }, bearer(admin.key))).status).toBe(201);
    expect((await revoke({ token: token.id }, bearer(admin.key))).status).toBe(201);
    expect(await tryOut(token.token)).toBe("good");
    const { key } = await makeKey(["publish:**", "manage:**"]);
    for (const credential of [key, token.token]) {
      expect(await revoke({ user: "flo" }, bearer(credential))).toMatchObject({
        status: 403,
        body: { code: "scope_missing" },
      });
    }
  });

  it("[ACC-24] that names nobody, or more than one, is refused", async () => {
    for (const what of [{}, { user: "a", token: "b" }, { user: "" }, { app: "default" }]) {
      expect(await revoke(what)).toMatchObject({ status: 422, body: { code: "revocation_invalid" } });
    }
    expect(await revoke({ key: "A".repeat(12) })).toMatchObject({ status: 404, body: { code: "key_not_found" } });
  });

  it("[ACC-19] that its hub has not heard of is told to it by the cron, once", async () => {
    const { id, key } = await makeKey(["subscribe:**"]);
    const socket = await openSocket(key);
    const database = await hub.database();
    // What is there when the Worker dies behind its batch, some time ago.
    await database
      .prepare(
        `INSERT INTO access_changes (app, kind, subject, at, expires_at, settled)
         VALUES ('app_default', 'key', ?, ?, ${Number.MAX_SAFE_INTEGER}, 0)`,
      )
      .bind(id, Date.now() - 60_000)
      .run();
    await hub.runCron();
    await socket.message(isTold, "the socket is told");
    const untold = database.prepare("SELECT count(*) AS n FROM access_changes WHERE settled = 0");
    expect(await untold.first<number>("n")).toBe(0);
  });

  it("[ACC-20] stands in the audit log, without the credential", async () => {
    const { token, id } = await makeToken("hal");
    await revoke({ token });
    await revoke({ user: "hal" });
    const path = "/v1/audit?limit=1000&action=credential.revoked";
    const { body } = await hub.json<{ items: { subject: string; actor: string; after: unknown }[] }>("GET", path);
    const last = body.items.slice(-2);
    expect(last.map(({ subject, actor }) => [subject, actor])).toEqual([
      [`token:${id}`, "root"],
      ["user:hal", "root"],
    ]);
    expect(last[1]!.after).toMatchObject({ kind: "user", subject: "hal" });
    expect(JSON.stringify(body)).not.toContain(token);
  });
});
