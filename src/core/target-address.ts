/**
 * Which addresses a webhook may have. A Worker cannot resolve a name and pin what it found, so this is a filter by
 * spelling, applied at creation and again before every attempt; `global_fetch_strictly_public` (wrangler.toml) and
 * unfollowed redirects are the wall behind it.
 */
import { LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";

const PORTS: ReadonlySet<string> = new Set(["", "443", "8443"]);

/** Names that can only mean something inside a network, or that stand for any address a client likes. */
const REFUSED_SUFFIXES: readonly string[] = [
  "localhost",
  "local",
  "localdomain",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
  "metadata.google.internal",
  "instance-data.ec2.internal",
  "nip.io",
  "sslip.io",
  "xip.io",
  "traefik.me",
  "localtest.me",
  "lvh.me",
  "vcap.me",
  "lacolhost.com",
  "yoogle.com",
  "onion",
  "test",
  "invalid",
  "example",
  "alt",
  "arpa",
];

/** `allowPrivate` is for local runs: then any http(s) address goes. */
export function checkTargetAddress(text: string, allowPrivate: boolean): Result<URL> {
  const limit = LIMITS.URL_CHARS_MAX;
  if (text.length > limit) {
    return fail("target_address_refused", "The address is too long.", { limit, actual: text.length });
  }
  // The parser would silently drop tabs, line breaks and outer spaces, and read "\" as "/".
  if (/[\p{Cc}\s\\]/u.test(text)) return refuse("The address holds a character that no address has.");
  const url = parseUrl(text);
  if (url === null) return refuse("That is not an absolute address.");
  const problem = findFormProblem(url, text, allowPrivate) ?? (allowPrivate ? null : findPlaceProblem(url));
  return problem === null ? ok(url) : refuse(problem);
}

/** An empty user is lost in parsing, and so is an empty fragment. */
const EMPTY_USER = /^[a-z]+:\/*[^/?#]*@/i;

function findFormProblem(url: URL, text: string, allowPrivate: boolean): string | null {
  const hasScheme = url.protocol === "https:" || (allowPrivate && url.protocol === "http:");
  if (!hasScheme) return "The address begins with https://.";
  const hasUser = url.username !== "" || url.password !== "" || EMPTY_USER.test(text);
  if (hasUser) return "The address carries no user or password.";
  return text.includes("#") ? "The address has no fragment." : null;
}

/** The parser has folded the host already: lower case, IDNA, and every spelling of IPv4 to four decimals. */
function findPlaceProblem({ hostname: host, port }: URL): string | null {
  if (!PORTS.has(port)) return "The port is 443 or 8443.";
  if (host.startsWith("[")) return "The host is a name, not an address of a machine.";
  if (host.endsWith(".")) return "The host does not end in a dot.";
  const words = host.split(".");
  if (words.length < 2) return "The host is a full name with a dot in it.";
  if (words.includes("")) return "The host has an empty part.";
  // The last word of a name is never a number (RFC 3696, §2); what is one here is an IPv4 address.
  if (/^\d+$/.test(words.at(-1)!)) return "The host is a name, not an address of a machine.";
  const isInside = REFUSED_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
  return isInside ? "The host's name is not a public one." : null;
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

const refuse = (detail: string): Result<never> => fail("target_address_refused", detail);
