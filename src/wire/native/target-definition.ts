/**
 * The `target` of a subscription. An address only has to be one here; whether this hub may call it depends on its
 * configuration, and is decided behind this door and again before every attempt.
 */
import { isApiKeyId } from "../../core/api-key-text.ts";
import { unreachable } from "../../core/assert.ts";
import { isCustomHeaderName, isCustomHeaderValue } from "../../core/custom-headers.ts";
import { escapePointer } from "../../core/json-pointer.ts";
import { isObjectText, members, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isConsumerBinding, isSubscriptionName, isTopicName } from "../../core/names.ts";
import { checkTargetAddress } from "../../core/target-address.ts";
import type { WebhookSigning } from "../../core/webhook-signature.ts";
import type { DefinitionReader, Members } from "./definition-reader.ts";
import { readWebhookSecret } from "./secret-rotation.ts";

export type TargetRequest =
  | {
      readonly kind: "webhook";
      readonly url: string;
      /** A value may be `HIDDEN_VALUE`: the one that is there stays. */
      readonly headers: Readonly<Record<string, string>>;
      /** `whsec_…`; null keeps the one there is, or lets the hub mint one. */
      readonly secret: string | null;
      /** How the event stands in the request. Absent: structured. */
      readonly contentMode?: "binary" | "envelope";
      /** Absent: "hmac". */
      readonly signing?: WebhookSigning;
      /** Present: the endpoint is asked for its consent before it is called. */
      readonly handshake?: true;
    }
  | { readonly kind: "listener"; readonly name: string }
  | { readonly kind: "pull" }
  | { readonly kind: "worker"; readonly binding: string }
  | { readonly kind: "topic"; readonly topic: string }
  | { readonly kind: "pusher"; readonly url: string; readonly key: string };

const MEMBERS_BY_KIND = {
  webhook: ["kind", "url", "headers", "secret", "contentMode", "signing", "handshake"],
  listener: ["kind", "name"],
  pull: ["kind"],
  worker: ["kind", "binding", "entrypoint"],
  topic: ["kind", "topic"],
  pusher: ["kind", "url", "key"],
} as const;

const OFFERED_KINDS = ["webhook", "listener", "pull", "worker", "topic", "pusher"] as const;
const LATER_KINDS: readonly string[] = ["transport"];

/** Null when the reader has refused it. */
export function readTarget(reader: DefinitionReader, raw: string | undefined): TargetRequest | null {
  if (raw === undefined) {
    reader.refuse("/target", "A subscription has a target.");
    return null;
  }
  const given = isObjectText(raw) ? members(raw).find((member) => member.name === "kind") : undefined;
  if (given === undefined) reader.refuse("/target/kind", "A target says of which kind it is.");
  const kind = reader.choice(given?.raw, "/target/kind", OFFERED_KINDS, LATER_KINDS);
  if (kind === null) return null;
  const target = reader.object(raw, "/target", MEMBERS_BY_KIND[kind]);
  switch (kind) {
    case "webhook":
      return readWebhook(reader, target);
    case "listener":
      return readListener(reader, target);
    case "pull":
      return { kind };
    case "worker":
      return readWorker(reader, target);
    case "topic":
      return readTopic(reader, target);
    case "pusher":
      return readPusher(reader, target);
    default:
      return unreachable(kind);
  }
}

function readListener(reader: DefinitionReader, given: Members): TargetRequest {
  const name = stringOf(given.get("name") ?? "") ?? "";
  if (!isSubscriptionName(name)) reader.refuse("/target/name", "A listener has a name like a subscription's.");
  return { kind: "listener", name };
}

function readWorker(reader: DefinitionReader, given: Members): TargetRequest {
  const binding = stringOf(given.get("binding") ?? "") ?? "";
  if (!isConsumerBinding(binding)) reader.refuse("/target/binding", "A binding to a consumer is CONSUMER_ and a name.");
  if (given.has("entrypoint")) reader.refuse("/target/entrypoint", "An entrypoint is named where its binding is made.");
  return { kind: "worker", binding };
}

function readTopic(reader: DefinitionReader, given: Members): TargetRequest {
  const topic = stringOf(given.get("topic") ?? "") ?? "";
  if (!isTopicName(topic)) reader.refuse("/target/topic", "This is not the name of a topic that takes events.");
  return { kind: "topic", topic };
}

function readPusher(reader: DefinitionReader, given: Members): TargetRequest {
  const key = stringOf(given.get("key") ?? "") ?? "";
  if (!isApiKeyId(key)) reader.refuse("/target/key", "This is the id of a key that was made for Pusher.");
  return { kind: "pusher", url: readUrl(reader, given), key };
}

function readUrl(reader: DefinitionReader, given: Members): string {
  const url = stringOf(given.get("url") ?? "") ?? "";
  const address = checkTargetAddress(url, true);
  if (!address.ok) reader.refuse("/target/url", address.failure.detail ?? "This is not an address.");
  return url;
}

const CONTENT_MODES = ["structured", "binary", "envelope"] as const;

function readWebhook(reader: DefinitionReader, given: Members): TargetRequest {
  const url = readUrl(reader, given);
  const headers = readHeaders(reader, given.get("headers"));
  const secret = readWebhookSecret(reader, given.get("secret"), "/target/secret");
  const signing = reader.choice(given.get("signing"), "/target/signing", ["hmac", "ed25519", "both"], []);
  const contentMode = reader.choice(given.get("contentMode"), "/target/contentMode", CONTENT_MODES, []);
  const isAsked = reader.boolean(given.get("handshake"), "/target/handshake") === true;
  if (signing === "ed25519" && secret !== null)
    reader.refuse("/target/secret", "A target that is signed for with a key pair has no secret.");
  return {
    kind: "webhook",
    url,
    headers,
    secret,
    // What stands by default is left out, here and in what is stored.
    ...(contentMode !== null && contentMode !== "structured" && { contentMode }),
    ...(signing !== null && signing !== "hmac" && { signing }),
    ...(isAsked && { handshake: true as const }),
  };
}

function readHeaders(reader: DefinitionReader, raw: string | undefined): Readonly<Record<string, string>> {
  if (raw === undefined) return {};
  const folded = new Set<string>();
  const given = reader.openObject(raw, "/target/headers", (name, pointer) => {
    const lower = name.toLowerCase();
    if (!isCustomHeaderName(name)) reader.refuse(pointer, "A webhook cannot set a header of that name.");
    else if (folded.has(lower)) reader.refuse(pointer, "This header stands twice.");
    folded.add(lower);
  });
  const countMax = LIMITS.TARGET_HEADERS_MAX;
  if (given.size > countMax) reader.refuse("/target/headers", `There are at most ${countMax} headers.`);
  return Object.fromEntries(
    [...given].map(([name, value]) => {
      const text = stringOf(value);
      if (text !== null && isCustomHeaderValue(text)) return [name, text];
      reader.refuse(`/target/headers/${escapePointer(name)}`, "A header is at most 1,024 printable ASCII characters.");
      return [name, ""];
    }),
  );
}
