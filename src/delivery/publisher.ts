/** How an event gets into a topic: by the Worker's own publish, handed over at start: delivery sees no worker. */
import type { EventDraft } from "../core/event.ts";
import type { Result } from "../core/result.ts";
import type { Env } from "../env.ts";

export interface Publication {
  /** The app's id. */
  readonly app: string;
  /** The name of the subscription that publishes. */
  readonly subscription: string;
  readonly topic: string;
  /** With an id, so that it may be published again and stands in the topic once. */
  readonly draft: EventDraft;
}

export type Publisher = (env: Env, publication: Publication) => Promise<Result<unknown>>;

let publisher: Publisher | null = null;

export function registerPublisher(given: Publisher): void {
  publisher = given;
}

/** Throws when none was registered: the hub was put together wrongly. */
export function publishAgain(env: Env, publication: Publication): Promise<Result<unknown>> {
  if (publisher === null) throw new Error("no publisher was registered");
  return publisher(env, publication);
}
