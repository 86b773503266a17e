import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FORGERIES, NO_TOKENS, WRONG_CLAIMS, type Attack, type Signers } from "../builders/token-attacks.ts";
import { bearer, makeClaims, makeEdSigner, makeHmacSigner, signToken } from "../builders/tokens.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { sendRaw } from "../harness/raw.ts";
import { TestSocket } from "../harness/socket.ts";

const SCOPES = ["publish:**", "subscribe:**"];

let hub: Hub;
let signers: Signers;
let socket: TestSocket;

beforeAll(async () => {
  hub = await startHub();
  await hub.json("POST", "/v1/apps", { name: "stranger" });
  signers = {
    hmac: await makeHmacSigner(hub, SCOPES),
    ed: await makeEdSigner(hub, SCOPES),
    stranger: await makeHmacSigner(hub, SCOPES, { app: "stranger" }),
    rootKey: ROOT_KEY,
  };
  await hub.publish("guarded", { type: "before" });
  const first = await signToken(signers.hmac, makeClaims({ scopes: SCOPES }));
  socket = await TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${first}`);
});
afterAll(async () => {
  await socket.close();
  await hub.close();
});

interface Refusal {
  readonly status: number;
  readonly text: string;
}

const publishWith = async (token: string): Promise<Refusal> => {
  const response = await hub.request("/v1/topics/guarded/events", {
    method: "POST",
    headers: { ...bearer(token), "content-type": "application/json" },
    body: JSON.stringify({ type: "forged" }),
  });
  return { status: response.status, text: await response.text() };
};

const UPGRADE =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";

const upgradeWith = async (token: string): Promise<Refusal> => {
  const head = `GET /v1/connect?token=${encodeURIComponent(token)} HTTP/1.1\r\nHost: hub\r\n${UPGRADE}\r\n\r\n`;
  const { status, text } = await sendRaw(hub.url, [head]);
  return { status: status!, text: text.slice(text.indexOf("{")).replaceAll(/\r\n[0-9a-f]+(\r\n)+$/gi, "") };
};

/** At every door; the open socket stays open. */
async function refusedEverywhere(token: string): Promise<string> {
  const refusals = [await publishWith(token), await upgradeWith(token)];
  expect(refusals.map(({ status }) => status)).toEqual([401, 401]);
  const problems = refusals.map(({ text }) => JSON.parse(/\{.*\}/s.exec(text)![0]) as Record<string, unknown>);
  const { op, problem } = await socket.ask({ op: "refresh", token });
  expect(op).toBe("error");
  expect([problems[1], problem]).toEqual([problems[0], problems[0]]);
  expect((await hub.read("guarded")).events.map(({ type }) => type)).toEqual(["before"]);
  return refusals[0]!.text;
}

const codeOf = (text: string): unknown => (JSON.parse(text) as { readonly code: unknown }).code;

describe("a token", () => {
  it.each<Attack>([...FORGERIES])(
    "[TOK-2] with $name is refused with the same bytes as every forgery",
    async ({ token }) => {
      const [first] = FORGERIES;
      const expected = await publishWith(await first!.token(signers));
      const text = await refusedEverywhere(await token(signers));
      expect(codeOf(text)).toBe("token_invalid");
      expect(text).toBe(expected.text);
      expect(JSON.parse(text)).not.toHaveProperty("detail");
    },
  );

  it.each<Attack>([...NO_TOKENS])("[TOK-2] that is none, but $name, is no credential", async ({ token }) => {
    expect(codeOf(await refusedEverywhere(await token(signers)))).toBe("unauthenticated");
  });

  it.each(
    WRONG_CLAIMS.flatMap((row) => [
      { ...row, by: "hmac" as const },
      { ...row, by: "ed" as const },
    ]),
  )("[TOK-3] with $name, signed by $by, is refused and told why", async ({ claims, by, pointer }) => {
    const text = await refusedEverywhere(await signToken(signers[by], claims()));
    const refusal = JSON.parse(text) as { code: string; errors?: { pointer: string }[] };
    expect(refusal.code).toBe("token_invalid");
    if (pointer !== null) expect(refusal.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it.each(["hmac", "ed"] as const)("[TOK-3] past its end by a second has expired, signed by %s", async (by) => {
    const now = Math.floor(Date.now() / 1_000);
    const expired = await signToken(signers[by], makeClaims({ iat: now - 60, exp: now - 1 }));
    expect(codeOf(await refusedEverywhere(expired))).toBe("credential_expired");
  });

  it("[TOK-2] of over 8 KB is refused before anything reads it", async () => {
    const token = await signToken(signers.hmac, makeClaims({ padding: "x".repeat(8_000) }));
    expect(await publishWith(token)).toMatchObject({ status: 431 });
    expect(await socket.ask({ op: "refresh", token })).toMatchObject({ problem: { code: "credential_too_large" } });
  });

  it("[TOK-1] that nothing is wrong with is good at the same doors, signed by either", async () => {
    for (const signer of [signers.hmac, signers.ed]) {
      const claims = makeClaims({ scopes: SCOPES, aud: "/apps/default" });
      const answer = await hub.publish("open", { type: "t" }, bearer(await signToken(signer, claims)));
      expect(answer.status).toBe(201);
    }
    expect(await socket.ask({ op: "refresh", token: await signToken(signers.ed) })).toMatchObject({ op: "refreshed" });
  });
});
