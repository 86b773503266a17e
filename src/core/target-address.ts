/**
 * Which addresses a webhook may have, by their spelling. What a name stands for is looked up behind this
 * (delivery/judge-target.ts), and the platform is the wall behind that.
 */
import { LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";

const PORTS: ReadonlySet<string> = new Set(["", "443", "8443"]);

/** Names that can only mean something inside a network. */
const INSIDE: readonly string[] = [
  "localhost",
  "local",
  "localdomain",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "svc",
  "consul",
  "home.arpa",
  "arpa",
  "onion",
  "i2p",
  "alt",
  "test",
  "invalid",
  "example",
];

/** Where clouds tell a machine its credentials. Others stand under `internal`, or are addresses. */
const METADATA: readonly string[] = [
  "metadata.goog",
  "metadata.azure.com",
  "metadata.packet.net",
  "metadata.platformequinix.com",
];

/** Public names that stand for loopback, or for any address that a client spells out in them. */
const WILDCARD: readonly string[] = [
  "nip.io",
  "sslip.io",
  "xip.io",
  "backname.io",
  "ip6.name",
  "1u.ms",
  "rbndr.us",
  "traefik.me",
  "localtest.me",
  "lvh.me",
  "vcap.me",
  "fuf.me",
  "lacolhost.com",
  "yoogle.com",
  "local.gd",
  "localho.st",
  "localhost.direct",
  "lndo.site",
  "ddev.site",
];

const REFUSED_SUFFIXES: readonly string[] = [...INSIDE, ...METADATA, ...WILDCARD];

/**
 * `allowPrivate` is for local runs: then any http(s) address goes. `ownHost` is the name under which the hub was
 * reached, where somebody reached it: a webhook to itself would go round in circles.
 */
export function checkTargetAddress(text: string, allowPrivate: boolean, ownHost: string | null = null): Result<URL> {
  const limit = LIMITS.URL_CHARS_MAX;
  if (text.length > limit) {
    return fail("target_address_refused", "The address is too long.", { limit, actual: text.length });
  }
  // The parser would silently drop tabs, line breaks and outer spaces, and read "\" as "/".
  if (/[\p{Cc}\s\\]/u.test(text)) return refuse("The address holds a character that no address has.");
  const url = parseUrl(text);
  if (url === null) return refuse("That is not an absolute address.");
  const problem = findFormProblem(url, text, allowPrivate) ?? (allowPrivate ? null : findPlaceProblem(url, ownHost));
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

/** RFC 1035, §2.3.4, without the root's dot. */
const NAME_CHARS_MAX = 253;
const LABEL_CHARS_MAX = 63;

/** The parser has folded the host already: lower case, IDNA, and every spelling of IPv4 to four decimals. */
function findPlaceProblem({ hostname: host, port }: URL, ownHost: string | null): string | null {
  if (!PORTS.has(port)) return "The port is 443 or 8443.";
  if (host.startsWith("[")) return "The host is a name, not an address of a machine.";
  if (host.endsWith(".")) return "The host does not end in a dot.";
  if (host === ownHost) return "That is the hub itself.";
  const words = host.split(".");
  const isTooLong = host.length > NAME_CHARS_MAX || words.some((word) => word.length > LABEL_CHARS_MAX);
  if (isTooLong) return "The host's name is longer than a name can be.";
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
