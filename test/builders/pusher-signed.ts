/** Requests signed by hand: what the server library cannot be made to send. */
import { createHash, createHmac } from "node:crypto";
import type { PusherKey } from "./pusher.ts";

export interface SignedRequest {
  readonly method?: string;
  /** Behind `/apps/{id}`. */
  readonly path: string;
  readonly body?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Replaces what would be signed, or what is sent beside the signature. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly appId?: string;
}

/** The address with its signature, behind the hub's own. */
export function signedPath({ appId: own, key, secret }: PusherKey, request: SignedRequest): string {
  const { method = "POST", path, body = "", query = {}, parameters = {}, appId = own } = request;
  const signed: Record<string, string> = {
    auth_key: key,
    auth_timestamp: String(Math.floor(Date.now() / 1_000)),
    auth_version: "1.0",
    ...(body !== "" && { body_md5: createHash("md5").update(body).digest("hex") }),
    ...query,
    ...parameters,
  };
  const full = `/apps/${appId}${path}`;
  const pairs = Object.entries(signed).toSorted(([left], [right]) => (left < right ? -1 : 1));
  const content = [method, full, pairs.map(([name, value]) => `${name}=${value}`).join("&")].join("\n");
  const signature = createHmac("sha256", secret).update(content).digest("hex");
  return `${full}?${new URLSearchParams([...pairs, ["auth_signature", signature]])}`;
}
