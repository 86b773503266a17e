/**
 * How an event of one version of its type's schema becomes one of the next: declared steps, and no code. They work on
 * JSON as text, so that what they do not touch stays as it was written.
 */
import { elements, isListText, isObjectText, members } from "./json-text.ts";
import { formatSchemaReference, parseSchemaReference } from "./schema-reference.ts";

/** A path of names into `data`. `*` stands for each item where there is a list. */
export type MemberPath = readonly string[];

export type UpcastStep =
  /** The member takes another name beside the one it had. */
  | { readonly op: "rename"; readonly path: MemberPath; readonly to: string }
  /** The member goes to another place; objects on the way are made. Neither path has a `*`. */
  | { readonly op: "move"; readonly from: MemberPath; readonly path: MemberPath }
  /** Where it is absent it is made; `value` is JSON text. */
  | { readonly op: "default"; readonly path: MemberPath; readonly value: string }
  | { readonly op: "drop"; readonly path: MemberPath }
  /** The member's value becomes that of the member `in` of a new object, which takes its place. */
  | { readonly op: "wrap"; readonly path: MemberPath; readonly in: string };

export type Upcast = readonly UpcastStep[];

/** To what version events of one type are lifted, and how from each version to the next; the first is from 1 to 2. */
export interface Lift {
  readonly version: number;
  readonly upcasts: readonly Upcast[];
}

/** By type. */
export type Lifts = Readonly<Record<string, Lift>>;

/**
 * The event's line with its data lifted. Events of a later version, of no version or of another type stay as they are.
 */
export function liftLine(line: string, lifts: Lifts): string {
  if (Object.keys(lifts).length === 0) return line;
  const found = members(line);
  const valueOf = (name: string): unknown => {
    const member = found.find((each) => each.name === name);
    return member === undefined ? undefined : (JSON.parse(member.raw) as unknown);
  };
  const [type, version] = [valueOf("type"), valueOf("schemaversion")];
  const lift = typeof type === "string" && Object.hasOwn(lifts, type) ? lifts[type]! : null;
  if (lift === null || typeof version !== "number" || version >= lift.version) return line;
  const upcasts = lift.upcasts.slice(version - 1, lift.version - 1);
  const texts = found.map(({ name, raw }) => {
    const lifted = liftMember(name, raw, { type: type as string, version: lift.version }, upcasts);
    return `${JSON.stringify(name)}:${lifted}`;
  });
  return `{${texts.join(",")}}`;
}

function liftMember(
  name: string,
  raw: string,
  to: { readonly type: string; readonly version: number },
  upcasts: readonly Upcast[],
): string {
  if (name === "schemaversion") return String(to.version);
  if (name === "data") return upcasts.reduce(upcastData, raw);
  const isOurs = name === "dataschema" && parseSchemaReference(JSON.parse(raw) as string) !== null;
  return isOurs ? JSON.stringify(formatSchemaReference(to)) : raw;
}

/** `data`: JSON text. A step whose place is not there does nothing. */
export const upcastData = (data: string, upcast: Upcast): string =>
  format(upcast.reduce<Value>((value, step) => applyStep(value, step), data));

/** JSON text until somebody looks into it. */
type Value = string | Map<string, Value> | Value[];

function applyStep(value: Value, step: UpcastStep): Value {
  switch (step.op) {
    case "rename":
      return atMember(value, step.path, (object, name) => {
        const held = object.get(name);
        if (held === undefined) return object;
        // In its place, so that the order of the others stays.
        const renamed = [...object].filter(([other]) => other !== step.to);
        return new Map(renamed.map(([other, each]) => (other === name ? [step.to, held] : [other, each])));
      });
    case "default":
      return atMember(value, step.path, (object, name) => (object.has(name) ? object : object.set(name, step.value)));
    case "drop":
      return atMember(value, step.path, (object, name) => (object.delete(name), object));
    case "wrap":
      return atMember(value, step.path, (object, name) => {
        const held = object.get(name);
        return held === undefined ? object : object.set(name, new Map([[step.in, held]]));
      });
    case "move":
      return move(value, step.from, step.path);
  }
}

function move(value: Value, from: MemberPath, to: MemberPath): Value {
  let moved: Value | undefined;
  if (!takes(value, to)) return value;
  const without = atMember(value, from, (object, name) => {
    moved = object.get(name);
    object.delete(name);
    return object;
  });
  return moved === undefined ? value : put(without, to, moved);
}

/** False where something that is no object stands in the way. */
function takes(value: Value, [name, ...rest]: MemberPath): boolean {
  const object = open(value);
  if (name === undefined || !(object instanceof Map)) return false;
  const held = object.get(name);
  return rest.length === 0 || held === undefined || takes(held, rest);
}

function put(value: Value, [name, ...rest]: MemberPath, moved: Value): Value {
  const object = open(value);
  if (name === undefined || !(object instanceof Map)) return value;
  object.set(name, rest.length === 0 ? moved : put(object.get(name) ?? new Map<string, Value>(), rest, moved));
  return object;
}

/** Changes each object whose member the path names. */
function atMember(
  value: Value,
  [name, ...rest]: MemberPath,
  change: (object: Map<string, Value>, name: string) => Map<string, Value>,
): Value {
  const opened = open(value);
  if (name === undefined || typeof opened === "string") return value;
  if (Array.isArray(opened)) return name === "*" ? opened.map((item) => atMember(item, rest, change)) : value;
  if (rest.length === 0) return change(opened, name);
  const inner = opened.get(name);
  return inner === undefined ? opened : opened.set(name, atMember(inner, rest, change));
}

function open(value: Value): Value {
  if (typeof value !== "string") return value;
  if (isListText(value)) return elements(value);
  return isObjectText(value) ? new Map(members(value).map(({ name, raw }) => [name, raw])) : value;
}

function format(value: Value): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(format).join(",")}]`;
  return `{${[...value].map(([name, held]) => `${JSON.stringify(name)}:${format(held)}`).join(",")}}`;
}
