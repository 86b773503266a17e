/** `POST /v1/apps`, `PATCH /v1/apps/{name}`, and what GET answers. */
import { elements, isListText, members, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isAppName } from "../../core/names.ts";
import { isOrigin } from "../../core/origin.ts";
import { APP_QUOTAS, type Quotas } from "../../core/quotas.ts";
import type { Result } from "../../core/result.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { readQuotas } from "./quota-set.ts";

export interface AppRequest {
  readonly name: string;
  /** Null: origins are not looked at. */
  readonly origins: readonly string[] | null;
  readonly quotas: Quotas;
}

export function parseAppRequest(text: string): Result<AppRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["name", "origins", "quotas"]);
  const name = stringOf(given.get("name") ?? "") ?? "";
  if (!isAppName(name)) {
    const detail = `A name is 1 to ${LIMITS.APP_NAME_CHARS_MAX} of a-z, 0-9 and -, and does not begin with -.`;
    reader.refuse("/name", detail);
  }
  const origins = readOrigins(reader, given.get("origins"));
  const quotas = readQuotas(reader, given.get("quotas"), "/quotas", APP_QUOTAS);
  return reader.finish("app_invalid", () => ({ name, origins, quotas }));
}

/** A member that is there replaces what was; null takes it away. */
export type AppChange = Partial<Pick<AppRequest, "origins" | "quotas">>;

export function parseAppChange(text: string): Result<AppChange> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["origins", "quotas"]);
  const origins = readOrigins(reader, given.get("origins"));
  const quotas = readQuotas(reader, given.get("quotas"), "/quotas", APP_QUOTAS);
  return reader.finish("app_invalid", () => {
    const named = new Set(members(raw.value).map(({ name }) => name));
    return { ...(named.has("origins") && { origins }), ...(named.has("quotas") && { quotas }) };
  });
}

export interface AppView extends AppRequest {
  readonly createdAt: string;
}

export const formatApp = ({ name, origins, quotas, createdAt }: AppRequest & { createdAt: number }): AppView => ({
  name,
  origins,
  quotas,
  createdAt: new Date(createdAt).toISOString(),
});

/** An empty list lets no page in. */
function readOrigins(reader: DefinitionReader, raw: string | undefined): readonly string[] | null {
  if (raw === undefined) return null;
  const given = isListText(raw) ? elements(raw) : null;
  if (given === null || given.length > LIMITS.APP_ORIGINS_MAX) {
    reader.refuse("/origins", `This is a list of at most ${LIMITS.APP_ORIGINS_MAX} origins.`);
    return null;
  }
  return given.flatMap((item, index) => {
    const origin = stringOf(item) ?? "";
    if (isOrigin(origin)) return [origin];
    const detail = `An origin is what a browser sends, such as "https://shop.example" or "http://localhost:5173".`;
    reader.refuse(`/origins/${index}`, detail);
    return [];
  });
}
