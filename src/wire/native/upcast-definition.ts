/** The `upcast` of a schema's version: a list of steps, as it was sent, or as the store kept it. */
import { elements, isListText, isObjectText, members, minify, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { MemberPath, Upcast, UpcastStep } from "../../core/upcast.ts";
import { utf8Length } from "../../core/utf8.ts";
import { DefinitionReader, type Members } from "./definition-reader.ts";

/** Refusals go to the reader. */
export function readUpcast(reader: DefinitionReader, raw: string, pointer: string): Upcast {
  if (utf8Length(raw) > LIMITS.UPCAST_BYTES_MAX)
    reader.refuse(pointer, `An upcast has at most ${LIMITS.UPCAST_BYTES_MAX} bytes.`);
  const steps = isListText(raw) ? elements(raw) : null;
  if (steps === null || steps.length > LIMITS.UPCAST_STEPS_MAX) {
    reader.refuse(pointer, `This is a list of at most ${LIMITS.UPCAST_STEPS_MAX} steps.`);
    return [];
  }
  return steps.flatMap((step, index) => readStep(reader, step, `${pointer}/${index}`) ?? []);
}

/** What the store kept was read once before. */
export const storedUpcast = (text: string): Upcast => readUpcast(new DefinitionReader(), text, "");

const MEMBERS: Readonly<Record<UpcastStep["op"], readonly string[]>> = {
  rename: ["op", "path", "to"],
  move: ["op", "from", "path"],
  default: ["op", "path", "value"],
  drop: ["op", "path"],
  wrap: ["op", "path", "in"],
};
const OPS = Object.keys(MEMBERS) as UpcastStep["op"][];

function readStep(reader: DefinitionReader, raw: string, pointer: string): UpcastStep | null {
  if (!isObjectText(raw)) return refuse(reader, pointer, "A step is an object.");
  const any = new DefinitionReader().openObject(raw, pointer, () => undefined);
  const op = reader.choice(any.get("op") ?? '""', `${pointer}/op`, OPS, []);
  if (op === null) return null;
  const given = reader.object(raw, pointer, MEMBERS[op]);
  const mayStar = op !== "move";
  const path = readPath(reader, given, "path", pointer, mayStar);
  switch (op) {
    case "rename":
      return { op, path, to: readName(reader, given, "to", pointer) };
    case "move":
      return { op, from: readPath(reader, given, "from", pointer, mayStar), path };
    case "default":
      return { op, path, value: minify(readValue(reader, raw, pointer)) };
    case "drop":
      return { op, path };
    case "wrap":
      return { op, path, in: readName(reader, given, "in", pointer) };
  }
}

function refuse(reader: DefinitionReader, pointer: string, detail: string): null {
  reader.refuse(pointer, detail);
  return null;
}

/** A JSON Pointer to a member of an object, so never the whole. */
function readPath(
  reader: DefinitionReader,
  given: Members,
  name: string,
  pointer: string,
  mayStar: boolean,
): MemberPath {
  const text = stringOf(given.get(name) ?? "") ?? "";
  const names = text.split("/").slice(1);
  const isPath = text.startsWith("/") && !/~(?![01])/.test(text) && names.at(-1) !== "*";
  if (!isPath || (!mayStar && names.includes("*")))
    reader.refuse(
      `${pointer}/${name}`,
      "This is a JSON Pointer to a member; * for each item of a list, but not in a move.",
    );
  return names.map((each) => each.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function readName(reader: DefinitionReader, given: Members, name: string, pointer: string): string {
  const text = stringOf(given.get(name) ?? "");
  if (text === null) reader.refuse(`${pointer}/${name}`, "This is the name of a member.");
  return text ?? "";
}

/** Null is a value here. */
function readValue(reader: DefinitionReader, raw: string, pointer: string): string {
  const value = members(raw).find(({ name }) => name === "value")?.raw;
  if (value === undefined) reader.refuse(`${pointer}/value`, "This is the value of the member, any JSON.");
  return value ?? "null";
}
