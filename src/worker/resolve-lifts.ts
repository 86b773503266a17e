/** How events are lifted to the versions that a reader asks for. A version's upcast never changes. */
import { escapePointer } from "../core/json-pointer.ts";
import { LIMITS } from "../core/limits.ts";
import { mayReadSchema, type Principal } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Lift, Lifts } from "../core/upcast.ts";
import type { Env } from "../env.ts";
import { SchemasStore } from "../store/schemas-store.ts";
import type { SchemaPins } from "../wire/native/schema-pins.ts";
import { storedUpcast } from "../wire/native/upcast-definition.ts";
import { IsolateCache } from "./isolate-cache.ts";

const cache = new IsolateCache<Lift>(1_000);

/**
 * `root`: pointer to the pins. Fails with `scope_missing` for the contract of a type that the credential may not read,
 * and with `lift_unavailable`: every version from the first to the one asked for must say how it comes from the one
 * before, so that no event is met that cannot be lifted.
 */
export async function resolveLifts(
  env: Env,
  principal: Principal,
  pins: SchemaPins,
  root: string,
): Promise<Result<Lifts>> {
  const lifts: Record<string, Lift> = {};
  if (![...pins.keys()].every((type) => mayReadSchema(principal, type))) return fail("scope_missing");
  for (const [type, version] of pins) {
    const lift = await findLift(env, principal.app, type, version);
    if (typeof lift === "string") {
      const errors = [{ pointer: `${root}/${escapePointer(type)}`, detail: lift }];
      return fail("lift_unavailable", lift, { errors });
    }
    lifts[type] = lift;
  }
  const size = JSON.stringify(lifts).length;
  if (size <= LIMITS.LIFTS_BYTES_MAX) return ok(lifts);
  return fail("lift_unavailable", "It takes more steps than the hub goes.", {
    limit: LIMITS.LIFTS_BYTES_MAX,
    actual: size,
  });
}

/** A sentence where there is none. */
async function findLift(env: Env, app: string, type: string, version: number): Promise<Lift | string> {
  const key = JSON.stringify([app, type, version]);
  const known = cache.get(key, Date.now());
  if (known !== undefined) return known;
  const upcasts = await new SchemasStore(env.DB).upcasts(app, type);
  if (upcasts.length < version) return "There is no such version.";
  const texts = upcasts.slice(1, version);
  const gap = texts.indexOf(null);
  if (gap >= 0) return `Version ${gap + 2} does not say how events of version ${gap + 1} become its own.`;
  const lift = { version, upcasts: texts.map((text) => storedUpcast(text!)) };
  cache.set(key, lift, Infinity);
  return lift;
}
