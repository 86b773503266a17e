/** W5: users of a presence channel who come and go, some with two windows, and see who is here. */
import type { HubMessage } from "../../harness/socket.ts";
import { seededRandom } from "../../harness/random.ts";
import { pause } from "../../harness/wait.ts";
import type { Workload, World } from "../world.ts";
import { ReturningSocket } from "./returning-socket.ts";

const USERS = 5;
const MOVE_EVERY_MS = 700;

export class Members implements Workload {
  readonly #world: World;
  readonly #channel: string;
  readonly #windows = new Set<Window>();
  #isOver = false;
  #working: Promise<void> = Promise.resolve();

  constructor(world: World, channel: string) {
    this.#world = world;
    this.#channel = channel;
  }

  async prepare(): Promise<void> {
    await this.#world.access.put(`topics/${this.#channel}`, {});
  }

  begin(): void {
    for (let user = 0; user < USERS; user += 1) this.#open(`user-${user}`);
    this.#working = this.#move();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  async missing(): Promise<readonly string[]> {
    const truth = this.present.join();
    const views = [...(await this.#views())].filter(([, seen]) => seen.join() !== truth);
    return views.map(([by, seen]) => `${by} sees ${seen.join()} and not ${truth}`);
  }

  async tell(): Promise<void> {
    const { present } = this;
    for (const [by, seen] of await this.#views())
      this.#world.history.add({ op: "members", channel: this.#channel, by, at: Date.now(), seen, present });
    for (const window of this.#windows) window.close();
  }

  /** The users who have a window. */
  get present(): readonly string[] {
    return [...new Set([...this.#windows].map(({ user }) => user))].toSorted();
  }

  async #views(): Promise<ReadonlyMap<string, readonly string[]>> {
    const path = `channels/${this.#channel}/members`;
    const { items } = await this.#world.access.json<{ items: readonly { id: string }[] }>("GET", path);
    const views = new Map<string, readonly string[]>([["the hub", items.map(({ id }) => id).toSorted()]]);
    for (const [index, window] of [...this.#windows].entries())
      views.set(`${window.user}, window ${index}`, window.members);
    return views;
  }

  #open(user: string): void {
    this.#windows.add(new Window(this.#world, this.#channel, user));
  }

  async #move(): Promise<void> {
    const random = seededRandom(this.#world.seed + 5_000);
    while (!this.#isOver) {
      await pause(MOVE_EVERY_MS);
      const open = [...this.#windows];
      if (random() < open.length / (USERS * 2)) {
        const [leaving] = open.splice(Math.floor(random() * open.length), 1);
        leaving!.close();
        this.#windows.delete(leaving!);
      } else this.#open(`user-${Math.floor(random() * USERS)}`);
    }
  }
}

export class Window {
  readonly user: string;
  readonly #socket: ReturningSocket;
  #members = new Set<string>();
  #version = 0;

  constructor(world: World, channel: string, user: string) {
    this.user = user;
    const offend = (what: string): void =>
      world.history.add({ op: "offence", kind: "presence", at: Date.now(), what: `${user}: ${what}` });
    this.#socket = new ReturningSocket({
      url: async () => `${world.socketUrl}/v1/connect?token=${await makeToken(world, user)}`,
      greeting: () => ({ op: "subscribe", topic: channel, presence: {} }),
      hear: (message) => this.#hear(message, offend),
      lost: () => this.#members.clear(),
    });
  }

  /** As it was told. */
  get members(): readonly string[] {
    return [...this.#members].toSorted();
  }

  close(): void {
    this.#socket.close();
  }

  #hear(message: HubMessage, offend: (what: string) => void): void {
    const { op, version } = message as HubMessage & { readonly version: number };
    if (op === "subscribed") {
      this.#members = new Set((message["members"] as readonly { id: string }[]).map(({ id }) => id));
      if (!this.#members.has(this.user)) offend("is not among those it was shown");
      this.#version = version;
    }
    if (op !== "member_added" && op !== "member_removed") return;
    const { id } = message["member"] as { readonly id: string };
    if (version <= this.#version) offend(`was told version ${version} after ${this.#version}`);
    if (this.#members.has(id) === (op === "member_added")) offend(`was told ${op} of ${id} out of turn`);
    if (id === this.user && op === "member_removed") offend("was told that it had left itself");
    this.#version = version;
    if (op === "member_added") this.#members.add(id);
    else this.#members.delete(id);
  }
}

async function makeToken({ access }: World, id: string): Promise<string> {
  const asked = { scopes: ["subscribe:presence-*", "presence:presence-*"], user: { id }, ttl: "1h" };
  return (await access.json<{ readonly token: string }>("POST", "tokens", asked)).token;
}
