/** One app with its hub, its logs and its sockets, inside the runtime. Each test has a world of its own. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { hubName } from "../../src/core/keys.ts";
import type { EventDraft } from "../../src/core/event.ts";
import type { LogPush, PushAnswer } from "../../src/durable-objects/rpc.ts";
import type { TopicDefinition, TopicRecord } from "../../src/store/topics-store.ts";
import { channelHub, topicLog } from "../../src/stubs.ts";
import type { Caller } from "../../src/worker/caller.ts";
import { NO_CONDITIONS, publish, type Receipt } from "../../src/worker/publish.ts";
import { createTopic, DEFAULT_TOPIC, deleteTopic } from "../../src/worker/topic-directory.ts";
import { lifeOf } from "../../src/worker/topic-life.ts";
import { HubClient } from "./hub-client.ts";
import { hubPlaceOf } from "./hub-place.ts";
import { makeDrafts, valueOf } from "./log.ts";
import { env } from "./objects.ts";

let worlds = 0;

export class HubWorld {
  readonly app = `app_world_${(worlds += 1)}`;
  readonly #clients: HubClient[] = [];

  get caller(): Caller {
    return { principal: { kind: "root", app: this.app, appName: "tests", quotas: {} }, request: "tests" };
  }

  get hub() {
    return channelHub(env, hubPlaceOf(this.app));
  }

  log(topic: string, partition = 0) {
    return topicLog(env, this.app, topic, partition);
  }

  async connect(ackEvery = 50): Promise<HubClient> {
    const client = await HubClient.open(this.caller.principal, ackEvery);
    this.#clients.push(client);
    return client;
  }

  async makeTopic(topic: string, definition: Partial<TopicDefinition> = {}): Promise<TopicRecord> {
    return valueOf(await createTopic(env, this.caller, topic, { ...DEFAULT_TOPIC, ...definition })).topic;
  }

  async publish(topic: string, drafts: readonly EventDraft[] = makeDrafts(1)): Promise<readonly Receipt[]> {
    return valueOf(await publish(env, this.caller, topic, drafts, NO_CONDITIONS)).receipts;
  }

  async deleteTopic(topic: string): Promise<void> {
    valueOf(await deleteTopic(env, this.caller, topic));
  }

  /** Takes the hub out of memory while its sockets live on. */
  async evict(): Promise<void> {
    await this.rows("SELECT 1"); // What sleeps already cannot be evicted.
    await evictDurableObject(this.hub, { webSockets: "hibernate" });
  }

  runAlarm(): Promise<boolean> {
    return runDurableObjectAlarm(this.hub);
  }

  push(push: LogPush): Promise<PushAnswer> {
    return this.hub.accept(push);
  }

  rows<Row extends Record<string, SqlStorageValue>>(sql: string): Promise<Row[]> {
    return runInDurableObject(this.hub, (_hub, state) => state.storage.sql.exec<Row>(sql).toArray());
  }

  follows(): Promise<{ connection: string; topic: string; filter: string | null; behind: string | null }[]> {
    return this.rows("SELECT * FROM follows");
  }

  /** From now on the topic's log forgets its listeners, as if every push were lost on the way. */
  async losePushes(topic: string): Promise<void> {
    await this.log(topic).detach(this.#listener);
  }

  /** The log tells the hub again, and believes that it has heard everything so far. */
  async restorePushes(topic: TopicRecord): Promise<void> {
    const [life, start] = [lifeOf(topic), { kind: "latest" }] as const;
    valueOf(await this.log(topic.name).attach({ life, listener: this.#listener, start, types: null, keys: null }));
  }

  get #listener() {
    return { kind: "hub", name: hubName(hubPlaceOf(this.app)) } as const;
  }

  /** Lets retention do its work. */
  async settle(topic: string, partition = 0): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await runDurableObjectAlarm(this.log(topic, partition));
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}
