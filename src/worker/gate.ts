/** What objects ask of the Worker that exports them: topics by name, and a publish with all its checks. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { hubName } from "../core/keys.ts";
import { isSystemTopicName } from "../core/names.ts";
import { allows, type Principal } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { SignedAsk } from "../core/signed-ask.ts";
import type { Announcement } from "../core/system-event.ts";
import type { BatchDefinition, BatchState } from "../core/job-batch.ts";
import type { FollowedTopic, NumberedRevocation, WorkerGateRpc } from "../durable-objects/rpc.ts";
import type { BatchDraft, BatchPublisher } from "../durable-objects/rpc/batch.ts";
import type { Occurrence } from "../durable-objects/rpc/schedules.ts";
import type { Env } from "../env.ts";
import { readConfig } from "../config.ts";
import { hearOfChanges } from "./access/access-changes.ts";
import { authenticateCredential } from "./access/authenticate-credential.ts";
import { withCurrentQuotas } from "./access/current-quotas.ts";
import { BatchesStore } from "../store/batches-store.ts";
import { HubsStore } from "../store/hubs-store.ts";
import { AccessChangesStore } from "../store/access-changes-store.ts";
import { announceSystem } from "./announce.ts";
import type { Caller } from "./caller.ts";
import { publishOccurrence } from "./occur.ts";
import { publishFrame } from "./publish-frame.ts";
import { publishForBatch } from "./publish-for-batch.ts";
import { verifySigned } from "./pusher/verify-signed.ts";
import { noteReader } from "./sightings.ts";
import { ensureTopic, forgetTopic } from "./topic-directory.ts";
import { followedTopicOf } from "./topic-life.ts";

const REVOCATIONS_PER_PAGE = 1_000;

/** Reached only from inside this Worker (`ctx.exports`), with a principal that the front door has made sure of. */
export class WorkerGate extends WorkerEntrypoint<Env> implements WorkerGateRpc {
  async resolveTopic(principal: Principal, name: string): Promise<Result<FollowedTopic>> {
    if (!allows(principal, "subscribe", name)) return fail("scope_missing");
    forgetTopic(principal.app, name); // A hub asks rarely, and keeps the answer: it must not be half a minute old.
    const caller = await this.#caller(principal);
    const topic = await ensureTopic(this.env, caller, name);
    if (!topic.ok) return topic;
    noteReader(this.env, caller, name, "socket"); // Of a hub the first; it asks no more for those who follow.
    return ok(followedTopicOf(topic.value));
  }

  async publish(principal: Principal, name: string, event: string, exclude: string | null): Promise<Result<string>> {
    if (!allows(principal, "publish", name)) return fail("scope_missing");
    if (isSystemTopicName(name)) return fail("topic_reserved");
    return publishFrame(this.env, this.ctx, await this.#caller(principal), name, event, exclude);
  }

  async verifySigned(
    principal: Principal,
    socketId: string,
    ask: SignedAsk,
    auth: string,
  ): Promise<Result<number | null>> {
    await hearOfChanges(this.env, this.ctx);
    return verifySigned(this.env, principal, socketId, ask, auth);
  }

  occur(occurrence: Occurrence): Promise<Result<null>> {
    return publishOccurrence(this.env, occurrence);
  }

  announceSystem(app: string, topic: string, announcements: readonly Announcement[]): Promise<Result<null>> {
    return announceSystem(this.env, app, topic, announcements);
  }

  publishForBatch(from: BatchPublisher, topic: string, drafts: readonly BatchDraft[]): Promise<Result<null>> {
    return publishForBatch(this.env, from, topic, drafts);
  }

  addNestedBatch({ app, id, name, topic, createdAt }: BatchDefinition): Promise<void> {
    return new BatchesStore(this.env.DB).add({ app, id, name, topic, createdAt });
  }

  listBatch(app: string, batch: string, state: BatchState | null): Promise<void> {
    const store = new BatchesStore(this.env.DB);
    return state === null ? store.remove(app, batch) : store.setState(app, batch, state);
  }

  async authenticate(credential: string, client: string): Promise<Result<Principal>> {
    const shown = { credential, appName: null, client };
    const found = await authenticateCredential(this.env, this.ctx, readConfig(this.env), shown);
    return found.ok ? ok(found.value.principal) : found;
  }

  async hubNames(app: string): Promise<readonly string[]> {
    return (await new HubsStore(this.env.DB).of(app)).map(hubName);
  }

  async revocations(app: string, version: number): Promise<readonly NumberedRevocation[]> {
    return new AccessChangesStore(this.env.DB).revocationsOf(app, version, Date.now(), REVOCATIONS_PER_PAGE);
  }

  async #caller(principal: Principal): Promise<Caller> {
    return {
      principal: await withCurrentQuotas(this.env, this.ctx, principal),
      request: crypto.randomUUID(),
      beside: (work) => this.ctx.waitUntil(work),
    };
  }
}
