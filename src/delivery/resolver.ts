/**
 * What a name stands for just now, asked over DNS over HTTPS in its JSON form (`application/dns-json`). A Worker cannot
 * pin what it found, and a moment later the name may stand for another address: judge-target.ts says what else holds.
 */
import { isPublicAddress, parseIpAddress } from "../core/ip-address.ts";
import { LIMITS } from "../core/limits.ts";

/** `private`: some address of it is not one of the open internet. `unknown`: there is none, or nobody could say. */
export type Resolution = "public" | "private" | "unknown";

/** Takes at most RESOLVE_MS_MAX and never fails. */
export async function resolveHost(resolverUrl: string, host: string): Promise<Resolution> {
  const known = kept.get(host);
  if (known !== undefined && Date.now() < known.until) return known.resolution;
  const signal = AbortSignal.timeout(LIMITS.RESOLVE_MS_MAX);
  const answers = await Promise.all(TYPES.map((type) => lookUp(resolverUrl, host, type, signal)));
  const records = answers.flatMap((answer) => answer ?? []);
  if (records.some(({ isPublic }) => !isPublic)) return keep(host, "private", records);
  // Half an answer does not say that the other half is public.
  if (records.length === 0 || answers.includes(null)) return "unknown";
  return keep(host, "public", records);
}

interface AddressRecord {
  readonly isPublic: boolean;
  readonly ttlSeconds: number;
}

interface Kept {
  readonly resolution: Resolution;
  /** Milliseconds. */
  readonly until: number;
}

const kept = new Map<string, Kept>();

function keep(host: string, resolution: Resolution, records: readonly AddressRecord[]): Resolution {
  const ttlMs = Math.min(LIMITS.RESOLVE_KEEP_MS_MAX, ...records.map(({ ttlSeconds }) => ttlSeconds * 1_000));
  if (kept.size >= LIMITS.RESOLVE_KEEP_ENTRIES_MAX) kept.clear();
  kept.set(host, { resolution, until: Date.now() + ttlMs });
  return resolution;
}

const TYPES = ["A", "AAAA"] as const;
const TYPE_NUMBERS: Readonly<Record<number, (typeof TYPES)[number]>> = { 1: "A", 28: "AAAA" };

/** The addresses behind any aliases, as the resolver followed them; null when it did not answer as one does. */
async function lookUp(
  resolverUrl: string,
  host: string,
  type: (typeof TYPES)[number],
  signal: AbortSignal,
): Promise<AddressRecord[] | null> {
  const url = new URL(resolverUrl);
  url.searchParams.set("name", host);
  url.searchParams.set("type", type);
  try {
    const response = await fetch(url, { headers: { accept: "application/dns-json" }, redirect: "manual", signal });
    const answer = (await response.json()) as DnsAnswer;
    if (!response.ok || answer.Status !== 0) return null;
    return (answer.Answer ?? []).filter((record) => TYPE_NUMBERS[record.type] !== undefined).map(addressRecordOf);
  } catch {
    return null;
  }
}

/** The names are the format's own. */
interface DnsAnswer {
  /** RCODE (RFC 1035, §4.1.1): 0 without error, 2 server failure, 3 no such name. */
  readonly Status?: number;
  readonly Answer?: readonly { readonly type: number; readonly TTL: number; readonly data: string }[];
}

/** What cannot be read is not known to be public. */
function addressRecordOf({ data, TTL }: NonNullable<DnsAnswer["Answer"]>[number]): AddressRecord {
  const address = parseIpAddress(String(data));
  return { isPublic: address !== null && isPublicAddress(address), ttlSeconds: Number.isFinite(TTL) ? TTL : 0 };
}
