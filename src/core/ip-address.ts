/** Addresses of machines, as numbers: read, held against blocks, and told apart into public ones and all others. */

export interface IpAddress {
  /** How wide it is: 32 for IPv4, 128 for IPv6. */
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A block of addresses, such as 10.0.0.0/8. */
export interface Cidr extends IpAddress {
  readonly prefixBits: number;
}

/** Four decimals without leading zeros, or IPv6 as in RFC 4291, §2.2, without brackets and zone; null for all else. */
export function parseIpAddress(text: string): IpAddress | null {
  const value = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  if (value === null) return null;
  return { bits: text.includes(":") ? 128 : 32, value };
}

/** An address, a slash, and how many of its leading bits the block shares; the bits behind them do not count. */
export function parseCidr(text: string): Cidr | null {
  const [, addressText = "", prefixText = ""] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const address = parseIpAddress(addressText);
  const prefixBits = Number(prefixText);
  return address === null || prefixBits > address.bits ? null : { ...address, prefixBits };
}

export function isInCidr(address: IpAddress, block: Cidr): boolean {
  const hostBits = BigInt(block.bits - block.prefixBits);
  return address.bits === block.bits && address.value >> hostBits === block.value >> hostBits;
}

/**
 * Whether the address can only be a machine of the open internet: outside every special-purpose block of IANA's
 * registries (RFC 6890 and what was added since). Of IPv6 only global unicast is, so that what wraps an IPv4 address
 * (mapped, NAT64) or has no meaning yet is not.
 */
export function isPublicAddress(address: IpAddress): boolean {
  if (address.bits === 32) return !SPECIAL_IPV4.some((block) => isInCidr(address, block));
  return isInCidr(address, GLOBAL_UNICAST) && !SPECIAL_IPV6.some((block) => isInCidr(address, block));
}

/**
 * Whose address it is, as far as one can tell from it: an IPv6 customer has 2^64 of them, so those count as their /64.
 * What is no address stays what it is.
 */
export function customerOf(address: string): string {
  const parsed = parseIpAddress(address);
  if (parsed === null || parsed.bits === 32 || isInCidr(parsed, MAPPED_IPV4)) return address;
  return `${(parsed.value >> 64n).toString(16)}::/64`;
}

function parseIpv4(text: string): bigint | null {
  const words = text.split(".");
  const isFour = words.length === 4 && words.every((word) => /^(0|[1-9]\d{0,2})$/.test(word) && Number(word) <= 255);
  return isFour ? words.reduce((value, word) => (value << 8n) | BigInt(word), 0n) : null;
}

const GROUPS = 8;

function parseIpv6(text: string): bigint | null {
  const halves = text.split("::");
  // What an embedded IPv4 address stands for is always the end.
  if (halves.length > 2 || (halves.length === 2 && halves[0]!.includes("."))) return null;
  const [left, right] = halves.map(groupsOf) as [readonly number[] | null, (readonly number[] | null)?];
  if (left === null || right === null) return null;
  const given = left.length + (right?.length ?? 0);
  // "::" stands for at least one group.
  if (right === undefined ? given !== GROUPS : given >= GROUPS) return null;
  const zeros = Array.from({ length: GROUPS - given }, () => 0);
  return [...left, ...zeros, ...(right ?? [])].reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Groups of 16 bits; the last two may be written as an IPv4 address. */
function groupsOf(text: string): readonly number[] | null {
  if (text === "") return [];
  const words = text.split(":");
  const ipv4 = words.at(-1)!.includes(".") ? parseIpv4(words.pop()!) : undefined;
  if (ipv4 === null || !words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return null;
  const groups = words.map((word) => Number.parseInt(word, 16));
  return ipv4 === undefined ? groups : [...groups, Number(ipv4 >> 16n), Number(ipv4 & 0xffffn)];
}

const block = (text: string): Cidr => parseCidr(text)!;

const SPECIAL_IPV4: readonly Cidr[] = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared, behind carriers' NAT
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, and the clouds' metadata
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // multicast tunnels
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
].map(block);

const MAPPED_IPV4 = block("::ffff:0:0/96");

const GLOBAL_UNICAST = block("2000::/3");

const SPECIAL_IPV6: readonly Cidr[] = [
  "2001::/23", // protocol assignments: Teredo, benchmarks, ORCHID
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: an IPv4 address inside
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation
].map(block);
