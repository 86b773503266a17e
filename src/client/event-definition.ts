/** What events a program knows: the type of each, and what its data must look like on the way out and in. */
import { TidingsError } from "./client-error.ts";
import type { SchemaIssue, StandardSchema } from "./standard-schema.ts";

/** Whatever a program has defined. */
export interface AnyDefinition {
  (data: never): Draft;
  readonly type: string;
  readonly schema: StandardSchema<unknown, unknown>;
}

/**
 * Called with data it makes a draft to publish. On the wire stands the schema's input; `Output` is what a receiver
 * gets, defaults filled in and texts transformed.
 */
export interface EventDefinition<Type extends string, Input, Output> {
  (data: Input): Draft<Type, Input>;
  readonly type: Type;
  readonly schema: StandardSchema<unknown, Output>;
}

/** What a publisher writes. */
export interface Draft<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /** Judges the data before it is sent. */
  readonly schema?: StandardSchema<unknown, unknown>;
}

/** What a reader gets: a CloudEvent with the hub's extensions, its data as the definition made it. */
export interface HubEvent<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly source: string;
  readonly type: Type;
  readonly time: string;
  readonly data: Data;
  readonly partitionkey?: string;
  readonly subject?: string;
  readonly topic: string;
  readonly partition: number;
  /** From 1; 0: a client event, which no log keeps. */
  readonly offset: number;
  /** Who sent a client event, on presence channels. */
  readonly user?: string;
  readonly appendedat: string;
  /** From then on it reaches nobody. */
  readonly expirytime?: string;
}

export type DraftOf<Definition extends AnyDefinition> = Definition extends { readonly type: infer Type extends string }
  ? string extends Type
    ? Draft
    : Definition extends (data: infer Input) => unknown
      ? Draft<Type, Input>
      : never
  : never;

export type EventOf<Definition extends AnyDefinition> = Definition extends {
  readonly type: infer Type extends string;
  readonly schema: StandardSchema<unknown, infer Output>;
}
  ? HubEvent<Type, Output>
  : never;

export function defineEvent<const Type extends string, Input, Output>(
  type: Type,
  schema: StandardSchema<Input, Output>,
): EventDefinition<Type, Input, Output> {
  const draft = (data: Input): Draft<Type, Input> => ({
    type,
    data,
    schema: schema as StandardSchema<unknown, Output>,
  });
  return Object.assign(draft, { type, schema: schema as StandardSchema<unknown, Output> });
}

/** Throws `data_invalid` for data that does not fit; there is nothing to judge without a schema. */
export async function checkDraft(schema: StandardSchema<unknown, unknown> | undefined, data: unknown): Promise<void> {
  const result = await schema?.["~standard"].validate(data);
  if (result?.issues !== undefined) throw misfit(result.issues);
}

const misfit = (issues: readonly SchemaIssue[]): TidingsError =>
  new TidingsError("data_invalid", { detail: issues.map(({ message }) => message).join(" "), issues });

/** An event that none of its topic's definitions fits: of another type, or with data that its schema refuses. */
export interface Unfit {
  readonly kind: "unfit";
  readonly event: HubEvent;
  /** What the schema says; nothing for a type without a definition. */
  readonly issues: readonly SchemaIssue[];
}

export type Judged<Definition extends AnyDefinition> =
  { readonly kind: "event"; readonly event: EventOf<Definition> } | Unfit;

/** Without definitions every event is as good as it came. */
export async function judgeEvent<Definition extends AnyDefinition>(
  definitions: readonly Definition[] | undefined,
  event: HubEvent,
): Promise<Judged<Definition>> {
  if (definitions === undefined) return { kind: "event", event: event as EventOf<Definition> };
  const definition = definitions.find(({ type }) => type === event.type);
  if (definition === undefined) return { kind: "unfit", event, issues: [] };
  const result = await definition.schema["~standard"].validate(event.data);
  if (result.issues !== undefined) return { kind: "unfit", event, issues: result.issues };
  return { kind: "event", event: { ...event, data: result.value } as EventOf<Definition> };
}
