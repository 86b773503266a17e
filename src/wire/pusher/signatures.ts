/**
 * What is signed in Pusher's protocol, each with HMAC-SHA256 under the key's secret, written in hex. The shell does the
 * signing. What came from a client is signed as it came, never formatted again.
 * Sources: "Authenticating users", "HTTP API reference: Authentication", "Webhooks" of the Channels documentation.
 */
import { isObjectText } from "../../core/json-text.ts";

/**
 * `data`: the `channel_data` of a presence channel; null: none. Answers null for data that are no object. A name may
 * hold colons but no brace, so an object alone is never the rest of a longer name, whose signature would open this.
 */
export function channelContent(socketId: string, channel: string, data: string | null): string | null {
  if (data === null) return `${socketId}:${channel}`;
  return isObjectText(data.trimStart()) ? `${socketId}:${channel}:${data}` : null;
}

/** No channel begins so: a signature for one is never a signature for the other. */
export const userContent = (socketId: string, userData: string): string => `${socketId}::user::${userData}`;

/**
 * `parameters` are those of the address with their values decoded; `auth_signature` among them is left out. Names are
 * signed in lower case and in order.
 */
export function requestContent(method: string, path: string, parameters: ReadonlyMap<string, string>): string {
  const signed = [...parameters]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name !== "auth_signature")
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  return [method, path, signed.join("&")].join("\n");
}

export interface Signature {
  /** The key that is said to have signed. */
  readonly key: string;
  /** 64 hex digits. */
  readonly hex: string;
}

/** `key:signature`; null for anything else. */
export function parseAuth(text: string): Signature | null {
  const [, key, hex] = /^([0-9A-Za-z]{1,64}):([0-9a-f]{64})$/.exec(text) ?? [];
  return key === undefined || hex === undefined ? null : { key, hex };
}
