/** Handlers of commands for tests, the same in the hub and in a Worker beside it; each decision is a line of the log. */
import { defineCommand, rejected, type CommandEvent } from "../../src/client/command-handler.ts";

/** What `tell` is to do, by its payload. */
export interface TellPayload {
  readonly events?: readonly CommandEvent[];
  readonly rejected?: string;
  readonly throws?: string;
  readonly hangs?: boolean;
  /** Is so slow the first time; milliseconds. */
  readonly waitsMs?: number;
  /** Decides on an event that JSON cannot say. */
  readonly bigint?: boolean;
  /** Answers this in place of a decision. */
  readonly answers?: unknown;
}

export interface Decided {
  readonly stage: "test.decided";
  readonly command: string;
  readonly id: string;
  readonly version: number;
  readonly state: unknown;
  /** Events that were folded for this decision. */
  readonly folded: number;
}

let folded = 0;

function note(command: { readonly name: string; readonly id: string }, state: unknown, version: number): void {
  console.log(JSON.stringify({ stage: "test.decided", command: command.name, id: command.id, version, state, folded }));
  folded = 0;
}

export const tell = defineCommand<TellPayload | null, number>({
  name: "tell",
  initial: 0,
  fold: (count) => {
    folded += 1;
    return count + 1;
  },
  async decide(command, count, version) {
    note(command, count, version);
    const { payload } = command;
    if (payload?.throws !== undefined) throw new Error(payload.throws);
    if (payload?.hangs === true) await scheduler.wait(30_000);
    if (payload?.waitsMs !== undefined && version === 0) await scheduler.wait(payload.waitsMs);
    if (payload?.bigint === true) return [{ type: "told", data: 1n }];
    if (payload !== null && "answers" in payload) return payload.answers as never;
    if (payload?.rejected !== undefined) return rejected(payload.rejected);
    return payload?.events ?? [{ type: "told", data: { saw: count, version } }];
  },
});

interface Move {
  readonly change: number;
}

/** An account: what is withdrawn must be there. */
export const withdraw = defineCommand<{ amount: number }, { balance: number }>({
  name: "withdraw",
  version: 2,
  payload: {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        const { amount } = (value ?? {}) as { amount?: unknown };
        return typeof amount === "number" ? { value: { amount } } : { issues: [{ message: "amount is a number." }] };
      },
    },
  },
  initial: { balance: 100 },
  // Changes what it is given, as careless code does.
  fold: (account, { data }) => {
    account.balance += (data as Move).change;
    return account;
  },
  decide(command, { balance }, version) {
    note(command, balance, version);
    const { amount } = command.payload;
    if (amount > balance) return rejected(`There are ${balance}, not ${amount}.`);
    return [{ type: "money.withdrawn", data: { change: -amount, saw: balance } satisfies Move & { saw: number } }];
  },
});

/** Waits a little, so that others come in between, and tells what it saw. */
export const race = defineCommand<{ racer: number }, number[]>({
  name: "race",
  initial: [],
  fold: (racers, { data }) => [...racers, (data as { racer: number }).racer],
  async decide({ payload: { racer } }, racers, version) {
    await scheduler.wait(1);
    return [{ type: "raced", data: { racer, saw: racers.length, version, last: racers.at(-1) ?? null } }];
  },
});

/** Its state is none that JSON can say. */
export const dated = defineCommand<unknown, { at: Date }>({
  name: "dated",
  initial: { at: new Date(0) },
  fold: (state) => state,
  decide: () => [{ type: "dated" }],
});
