/**
 * What this isolate knows of revocations and changes. A busy isolate asks D1 once a second beside its requests; one
 * that has not asked for longer asks before it answers. Each request asks for itself, because a promise belongs to the
 * request that made it.
 */
import { createHash } from "node:crypto";
import { LIMITS } from "../../core/limits.ts";
import { userOf, type Principal } from "../../core/principal.ts";
import { isRevokedBy, type Revocation } from "../../core/revocation.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { AccessChangesStore, type AccessChange } from "../../store/access-changes-store.ts";
import { forgetApp } from "../app-directory.ts";
import { forgetTopicsOf } from "../topic-directory.ts";
import { forgetKey, forgetKeysOf } from "./key-directory.ts";

const CHANGES_PER_PAGE = 1_000;

type Remembered = Pick<Revocation, "at" | "expiresAt">;

/** In the order of their ends, since all last equally long. By digest: users' ids are as long as others make them. */
const revocations = new Map<string, Remembered>();
let version = 0;
let knownUntil = -Infinity;
let askedAt = -Infinity;

/** The revocation that covers this principal; null: none that the isolate knows of. */
export function revocationOf(principal: Principal): Revocation | null {
  if (revocations.size === 0) return null; // Most hubs, most of the time, and a digest costs more than this look.
  for (const [kind, subject] of revocableAs(principal)) {
    const known = revocations.get(keyOf(principal.app, kind, subject));
    if (known === undefined) continue;
    const revocation = { app: principal.app, kind, subject, ...known };
    if (isRevokedBy(principal, revocation)) return revocation;
  }
  return null;
}

/** Before it answers, `revocationOf` knows everything that was revoked until ACCESS_STALE_MS_MAX ago. */
export async function hearOfChanges(env: Env, ctx: Pick<ExecutionContext, "waitUntil">): Promise<void> {
  const now = Date.now();
  if (now - knownUntil >= LIMITS.ACCESS_STALE_MS_MAX) return readBeforeAnswering(env, now);
  if (now - askedAt < LIMITS.ACCESS_REFRESH_MS) return;
  askedAt = now;
  ctx.waitUntil(
    readChanges(env, now).catch((error: unknown) => logStage("access.refresh_failed", { error: String(error) })),
  );
}

/**
 * Without D1 nobody can write a revocation either, so what is known holds a while longer: as long as the keys in the
 * cache, which cannot be read anew.
 */
async function readBeforeAnswering(env: Env, now: number): Promise<void> {
  try {
    await readChanges(env, now);
  } catch (error) {
    if (now - knownUntil >= LIMITS.CONFIG_CACHE_MS) throw error;
    logStage("access.refresh_failed", { error: String(error) });
  }
}

/** At once, in this isolate, for the request that made the change. */
export function learn(change: AccessChange): void {
  switch (change.kind) {
    case "changed_key":
      return forgetKey(change.subject);
    case "changed_app":
      forgetApp(change.subject);
      return forgetKeysOf(change.subject);
    case "app":
      forgetApp(change.subject);
      forgetKeysOf(change.subject);
      forgetTopicsOf(change.subject);
      return remember({ ...change, kind: "app" });
    case "key":
      forgetKey(change.subject);
      return remember({ ...change, kind: "key" });
    case "secret":
      return; // Told beside the `changed_key` of its rotation. Hubs need it; an isolate asks the key's record.
    case "user":
    case "token":
      return remember({ ...change, kind: change.kind });
  }
}

/** From the last version seen to the newest; a first look reads all that has not expired. */
async function readChanges(env: Env, begunAt: number): Promise<void> {
  askedAt = begunAt;
  for (;;) {
    const page = await new AccessChangesStore(env.DB).after(version, begunAt, CHANGES_PER_PAGE);
    for (const change of page) learn(change);
    version = Math.max(version, page.at(-1)?.version ?? 0);
    if (page.length < CHANGES_PER_PAGE) break;
  }
  knownUntil = Math.max(knownUntil, begunAt);
  for (const [key, { expiresAt }] of revocations) {
    if (expiresAt > begunAt) break;
    revocations.delete(key);
  }
}

/** Of two for one subject the later one counts: it covers what the earlier one does. */
function remember({ app, kind, subject, at, expiresAt }: Revocation): void {
  const key = keyOf(app, kind, subject);
  const known = revocations.get(key);
  if (known !== undefined && known.at >= at) return;
  revocations.delete(key);
  revocations.set(key, { at, expiresAt });
}

/** What a revocation of this principal would name. */
function revocableAs(principal: Principal): [kind: Revocation["kind"], subject: string][] {
  const found: [Revocation["kind"], string][] = [["app", principal.app]];
  if (principal.kind !== "root") found.push(["key", principal.key]);
  if (principal.kind === "token") found.push(["token", principal.token]);
  const user = userOf(principal);
  if (user !== null) found.push(["user", user.id]);
  return found;
}

/** The subject stands last, so whatever it holds, no two share a key. */
const keyOf = (app: string, kind: Revocation["kind"], subject: string): string =>
  createHash("sha256").update(`${app}\n${kind}\n${subject}`).digest("base64url");
