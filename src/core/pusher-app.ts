/** An app's number, by which Pusher's libraries name it: some of them take nothing but digits. */
import type { Principal } from "./principal.ts";

/**
 * Made from the app's id, so there is nothing to store. That two apps may have one number harms nobody: the key of a
 * request says which app it is for, and the number only has to fit.
 */
export function pusherAppId({ app }: Pick<Principal, "app">): string {
  let digest = 7n;
  for (const char of app) digest = (digest * 131n + BigInt(char.codePointAt(0)!)) % MODULUS;
  return String(digest);
}

/** A prime, so that all of the id counts; its numbers have few digits enough for any language. */
const MODULUS = 999_999_999_989n;
