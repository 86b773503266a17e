/** Whom a change of an event type concerns: who selects by the field, who has events lifted, what lifts them. */
import { admitsType, filterFields, isWithin } from "./filter-fields.ts";
import { escapePointer } from "./json-pointer.ts";
import type { SubscriptionDefinition } from "./subscription.ts";
import type { MemberPath, Upcast, UpcastStep } from "./upcast.ts";

type Consumer = Pick<SubscriptionDefinition, "name" | "filter" | "lifts">;

/** A subscription whose filter may let events of the type through. */
export interface TypeConsumer {
  readonly subscription: string;
  /** What its filter reads, as JSON Pointers into the event. */
  readonly fields: readonly string[];
  /** The version that its target gets; null: as they stand in the log. */
  readonly version: number | null;
}

export const consumersOf = (type: string, subscriptions: readonly Consumer[]): readonly TypeConsumer[] =>
  subscriptions
    .filter(({ filter }) => admitsType(filter, type))
    .map(({ name, filter, lifts }) => ({
      subscription: name,
      fields: filterFields(filter),
      version: lifts?.[type]?.version ?? null,
    }));

/** Those whose filters read at the field, above it or below it. */
export const concernedBy = (field: string, consumers: readonly TypeConsumer[]): readonly TypeConsumer[] =>
  consumers
    .map((consumer) => ({ ...consumer, fields: consumer.fields.filter((read) => isWithin(read, field)) }))
    .filter(({ fields }) => fields.length > 0);

/** The operations of an upcast that take or make what stands at the field, above it or below it. */
export const stepsAt = (field: string, upcast: Upcast): readonly UpcastStep["op"][] =>
  upcast
    .filter((step) => placesOf(step).some((place) => isWithin(place, withoutIndexes(field, place))))
    .map(({ op }) => op);

function placesOf(step: UpcastStep): readonly string[] {
  const place = pointerOf(step.path);
  switch (step.op) {
    case "rename":
      return [place, pointerOf([...step.path.slice(0, -1), step.to])];
    case "move":
      return [pointerOf(step.from), place];
    case "wrap":
    case "default":
    case "drop":
      return [place];
  }
}

/** A path into the data as a pointer into the event. */
const pointerOf = (path: MemberPath): string => ["/data", ...path.map(escapePointer)].join("/");

/** What the path calls `*` is any item: there the field's own word is taken for it. */
function withoutIndexes(field: string, place: string): string {
  const stars = place.split("/");
  return field
    .split("/")
    .map((word, index) => (stars[index] === "*" ? "*" : word))
    .join("/");
}
