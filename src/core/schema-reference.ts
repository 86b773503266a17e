/**
 * A version of a schema as events name it in `dataschema`: a URI whose path is the address of that version on the hub
 * that served the event. The host is left out: events outlive the names of hosts.
 */
export interface SchemaReference {
  readonly type: string;
  readonly version: number;
}

const PATH = "tidings:/v1/schemas/";

export const formatSchemaReference = ({ type, version }: SchemaReference): string =>
  `${PATH}${encodeURIComponent(type)}/versions/${version}`;

/** Null for a URI of somebody else's. */
export function parseSchemaReference(uri: string): SchemaReference | null {
  const match = uri.startsWith(PATH) ? /^([^/]+)\/versions\/([1-9]\d{0,8})$/.exec(uri.slice(PATH.length)) : null;
  if (match === null) return null;
  try {
    return { type: decodeURIComponent(match[1]!), version: Number(match[2]) };
  } catch {
    return null;
  }
}
