/** The official CloudEvents schema as the judge of what a reader gets. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { expect } from "vitest";

const ajv = new Ajv({ strict: false });
addFormats(ajv);
const schema = readFileSync(join(import.meta.dirname, "../data/cloudevents.schema.json"), "utf8");
const validate = ajv.compile(JSON.parse(schema) as object);

export function expectCloudEvent(event: unknown): void {
  expect(validate(event), JSON.stringify([validate.errors, event])).toBe(true);
}
