/** The member `filter` of a definition or a request. */
import { parseFilter, type FilterPattern } from "../../core/filter-pattern.ts";
import { minify } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, type Result } from "../../core/result.ts";
import { fitsUtf8, utf8Length } from "../../core/utf8.ts";

/** Null where there is none. Fails with `filter_invalid`; its pointers begin with `/filter`. */
export function parseFilterMember(raw: string | undefined): Result<FilterPattern | null> {
  if (raw === undefined) return { ok: true, value: null };
  const limit = LIMITS.FILTER_BYTES_MAX;
  const text = minify(raw);
  if (!fitsUtf8(text, limit)) {
    return fail("filter_invalid", "The filter is too long.", {
      limit,
      actual: utf8Length(text),
      errors: [{ pointer: "/filter", detail: "The filter is too long." }],
    });
  }
  const filter = parseFilter(JSON.parse(text));
  if (filter.ok) return filter;
  const errors = (filter.failure.errors ?? []).map(({ pointer, detail }) => ({ pointer: `/filter${pointer}`, detail }));
  return { ok: false, failure: { ...filter.failure, errors } };
}
