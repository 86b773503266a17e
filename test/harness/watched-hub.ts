/** The hub as it ships, whose hubs say aloud what their logs push to them, and like its logs when they wake. */
import { ChannelHub as ShippedHub } from "../../src/durable-objects/channel-hub/channel-hub.ts";
import { TopicLog as ShippedLog } from "../../src/durable-objects/topic-log/topic-log.ts";
import type { Env } from "../../src/env.ts";
import type { LogPush, PushAnswer } from "../../src/durable-objects/rpc.ts";

export * from "../../src/index.ts";
export { default } from "../../src/index.ts";

const sayThatItWoke = (object: string): void => console.log(JSON.stringify({ stage: "test.woke", object }));

export class TopicLog extends ShippedLog {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    sayThatItWoke(ctx.id.name!);
  }
}

/** One line of these for each push that came. */
export interface PushedLine {
  readonly stage: "test.pushed";
  readonly hub: string;
  readonly topic: string;
  readonly offsets: readonly number[];
}

export class ChannelHub extends ShippedHub {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    sayThatItWoke(ctx.id.name!);
  }

  override accept(push: LogPush): Promise<PushAnswer> {
    const { topic, offsets } = push;
    console.log(JSON.stringify({ stage: "test.pushed", hub: this.ctx.id.name!, topic, offsets } satisfies PushedLine));
    return super.accept(push);
  }
}
