import { describe, expect, it } from "vitest";
import { parseApiKey } from "../../../src/core/api-key-text.ts";
import type { KeyRecord } from "../../../src/store/api-keys-store.ts";
import { hashSecret, judgeApiKey, mintKeyId, mintSecret } from "../../../src/worker/access/api-key.ts";

const NOW = Date.UTC(2026, 10, 21);
const HOUR = 3_600_000;

const makeRecord = (more: Partial<KeyRecord> = {}): KeyRecord => ({
  id: "0123456789AB",
  app: { id: "app_a", name: "a", origins: null, quotas: {}, createdAt: 0 },
  name: "test",
  secretHash: hashSecret("current"),
  previousHash: hashSecret("previous"),
  previousUntil: NOW + HOUR,
  scopes: [],
  quotas: {},
  tokenAlgorithm: "HS256",
  tokenKey: "",
  pusherSecret: null,
  previousPusherSecret: null,
  createdAt: 0,
  expiresAt: null,
  lastUsedAt: null,
  ...more,
});

const codeOf = (record: KeyRecord | null, secret: string, now = NOW): string => {
  const judged = judgeApiKey(record, secret, now);
  return judged.ok ? "good" : judged.failure.code;
};

describe("an API key that is shown", () => {
  it("[ACC-7] is good with either secret until the overlap's last moment, then with the newer one only", () => {
    const record = makeRecord();
    expect(codeOf(record, "current", NOW + HOUR)).toBe("good");
    expect(codeOf(record, "previous", NOW + HOUR - 1)).toBe("good");
    expect(codeOf(record, "previous", NOW + HOUR)).toBe("unauthenticated");
    expect(codeOf(makeRecord({ previousUntil: NOW }), "previous")).toBe("unauthenticated");
  });

  it("[ACC-7] opens with the earlier secret only what ends with the overlap", () => {
    const untilOf = (secret: string, expiresAt: number | null): number | null => {
      const judged = judgeApiKey(makeRecord({ expiresAt }), secret, NOW);
      return judged.ok ? judged.value.until : Number.NaN;
    };
    expect(untilOf("current", null)).toBeNull();
    expect(untilOf("previous", null)).toBe(NOW + HOUR);
    expect(untilOf("current", NOW + 2 * HOUR)).toBe(NOW + 2 * HOUR);
    expect(untilOf("previous", NOW + 2 * HOUR)).toBe(NOW + HOUR);
    expect(untilOf("previous", NOW + 1)).toBe(NOW + 1);
  });

  it("[ACC-3] tells that it has expired only to who has its secret", () => {
    const record = makeRecord({ expiresAt: NOW });
    expect(codeOf(record, "current", NOW - 1)).toBe("good");
    expect(codeOf(record, "current")).toBe("credential_expired");
    expect(codeOf(record, "wrong")).toBe("unauthenticated");
  });

  it("[ACC-3] is refused alike when nothing is known of it", () => {
    const never = makeRecord({ previousHash: null, previousUntil: null });
    const refusals = [judgeApiKey(null, "current", NOW), judgeApiKey(never, "wrong", NOW), judgeApiKey(never, "", NOW)];
    for (const refusal of refusals) expect(refusal).toEqual({ ok: false, failure: { code: "unauthenticated" } });
  });

  it("[ACC-2] is minted anew each time, and what is kept of it is the hash of its secret", () => {
    const id = mintKeyId();
    const [first, second] = [mintSecret(id), mintSecret(id)];
    expect(first.key).not.toBe(second.key);
    expect(parseApiKey(first.key)?.id).toBe(id);
    expect(hashSecret(parseApiKey(first.key)!.secret)).toBe(first.secretHash);
    expect(mintKeyId()).not.toBe(id);
  });
});
