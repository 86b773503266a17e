/**
 * What the runtime keeps with a socket while the object sleeps: at most 16 KB. So it is packed: scopes as their texts,
 * everything in UTF-8, and the user's data apart, where they need no escapes. The largest principal takes 12 KB.
 */
import { assert } from "../../core/assert.ts";
import { userOf, type Principal } from "../../core/principal.ts";
import { formatScope, parseScope, type Scope } from "../../core/scope.ts";

export interface Attachment {
  /** The principal without its user's data, as JSON. */
  readonly principal: Uint8Array;
  readonly userData: Uint8Array | null;
  /** When its client said something last, milliseconds; kept for members of presence channels. */
  readonly heardAt?: number;
}

export function packPrincipal(principal: Principal): Attachment {
  const data = userOf(principal)?.data ?? null;
  const text = JSON.stringify(principal, (name, value: unknown) => {
    if (name === "scopes" || name === "keyScopes") return (value as readonly Scope[]).map(formatScope);
    return name === "user" && value !== null ? { id: (value as { id: string }).id } : value;
  });
  return { principal: encoder.encode(text), userData: data === null ? null : encoder.encode(data) };
}

export function unpackPrincipal({ principal, userData }: Attachment): Principal {
  return JSON.parse(decoder.decode(principal), (name, value: unknown) => {
    if (name === "scopes" || name === "keyScopes") return (value as readonly string[]).map(readScope);
    if (name !== "user" || value === null) return value;
    return { id: (value as { id: string }).id, data: userData === null ? null : decoder.decode(userData) };
  }) as Principal;
}

function readScope(text: string): Scope {
  const scope = parseScope(text);
  assert(scope !== null, "a scope that was packed is one");
  return scope;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
