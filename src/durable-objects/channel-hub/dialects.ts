/** Which protocol a hub speaks: it stands in its name. */
import { NATIVE } from "./dialect-native.ts";
import type { Dialect } from "./dialect.ts";

const DIALECTS: Readonly<Record<string, Dialect>> = { native: NATIVE };

/** Throws for a protocol that there is not: `stubs.ts` never made such a name. */
export function dialectOf(protocol: string): Dialect {
  const dialect = DIALECTS[protocol];
  if (dialect === undefined) throw new Error(`no hub speaks ${protocol}`);
  return dialect;
}
