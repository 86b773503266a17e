/** Schemas in a few characters, for tables of them. */
export const S = { type: "string" };
export const I = { type: "integer" };
export const N = { type: "number" };
export const B = { type: "boolean" };
export const NULL = { type: "null" };
export const of = (base: object, more: object): object => ({ ...base, ...more });
export const open = (properties: object, ...required: string[]) => ({ type: "object", properties, required });
export const closed = (properties: object, ...required: string[]) => ({
  ...open(properties, ...required),
  additionalProperties: false,
});
export const map = (additionalProperties: unknown) => ({ type: "object", additionalProperties });
export const list = (items: unknown, more: object = {}) => ({ type: "array", items, ...more });
export const tuple = (prefixItems: unknown[], more: object = {}) => ({ type: "array", prefixItems, ...more });
export const ANY_LIST = { type: "array" };
export const ANY_OBJECT = { type: "object" };
export const kind = (name: string, more: object = {}, ...required: string[]) =>
  open({ kind: { const: name }, ...more }, "kind", ...required);
export const IF_A_THEN_X = { if: open({ kind: { const: "a" } }, "kind"), then: { required: ["x"] } };
