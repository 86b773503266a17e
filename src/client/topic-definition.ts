/**
 * Topics by pattern: `defineTopic("rooms/:id")` names `rooms.7` for `{ id: "7" }`. A slash becomes a dot, because
 * scopes select topics by dotted words (`subscribe:rooms.*`), and a parameter is always one word: what a name cannot
 * hold, and a dot, is written like `=2E`, so that no user's id reaches another level or another topic.
 */
import { TidingsError } from "./client-error.ts";
import type { AnyDefinition } from "./event-definition.ts";

export interface Topic<Definition extends AnyDefinition = AnyDefinition> {
  readonly name: string;
  /** Undefined: any event, its data unknown. */
  readonly events: readonly Definition[] | undefined;
}

/** The names behind the colons of a pattern. */
export type ParamsOf<Pattern extends string> = Pattern extends `${infer First}/${infer Rest}`
  ? ParamsOf<First> & ParamsOf<Rest>
  : Pattern extends `${string}:${infer Name}`
    ? { readonly [Param in Name]: string | number }
    : unknown;

export type TopicDefinition<Pattern extends string, Definition extends AnyDefinition> = (
  ...params: unknown extends ParamsOf<Pattern> ? [] : [ParamsOf<Pattern>]
) => Topic<Definition>;

/** `events` are what the topic carries; without them its events are as they come. */
export function defineTopic<const Pattern extends string, Definition extends AnyDefinition = AnyDefinition>(
  pattern: Pattern,
  events?: readonly Definition[],
): TopicDefinition<Pattern, Definition> {
  return (...[params]) => ({
    name: pattern
      .split("/")
      .map((part) => part.replace(/:(\w+)/, (_all, name: string) => encodeParam(name, params)))
      .join("."),
    events,
  });
}

/** Names may hold these, and people write ids with them. */
const READABLE = /%(3A|40|2C|3B)/g;

function encodeParam(name: string, params: unknown): string {
  const value = String((params as Record<string, string | number>)[name] ?? "");
  if (value === "") throw new TidingsError("topic_params_invalid", { detail: `The topic's :${name} is empty.` });
  return encodeURIComponent(value)
    .replace(/[.!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(READABLE, decodeURIComponent)
    .replaceAll("%", "=");
}
