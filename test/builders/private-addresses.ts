/** Places that no webhook may reach, each by every spelling that some parser takes for it. */

const MACHINES = ["127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"];

const NAMES = [
  "localhost LOCALHOST localhost. foo.localhost ip6-localhost localhost.localdomain",
  "intranet db router.home.arpa nas.lan printer.local api.internal consul.service.consul",
  "metadata metadata.google.internal metadata.goog instance-data.ec2.internal metadata.azure.com",
  "kubernetes.default.svc x.svc.cluster.local host.docker.internal localtest.me app.lvh.me",
  "%6c%6f%63%61%6c%68%6f%73%74 ｌｏｃａｌｈｏｓｔ loc\u00ADalhost ⓛocalhost acme.corp x.onion",
].flatMap((line) => line.split(" "));

const IPV6 = ["[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fd00::1]", "[fc00::]", "[ff02::1]", "[2001:db8::1]"];

/** Hosts as they stand in an address, well over a hundred of them. */
export const PRIVATE_HOSTS: readonly string[] = [...MACHINES.flatMap(spellings), ...NAMES, ...IPV6];

/** How inet_aton, WHATWG, browsers and DNS tricks write one IPv4 address. */
function spellings(dotted: string): string[] {
  const [a, b, c, d] = dotted.split(".").map(Number) as [number, number, number, number];
  const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const hex = (value: number): string => value.toString(16);
  const high = hex((a << 8) | b);
  const low = hex((c << 8) | d);
  return [
    dotted,
    `${dotted}.`,
    String(whole),
    `0x${hex(whole)}`,
    `0${whole.toString(8)}`,
    [a, b, c, d].map((part) => `0x${hex(part)}`).join("."),
    [a, b, c, d].map((part) => `0${part.toString(8)}`).join("."),
    `${a}.${b}.${(c << 8) | d}`,
    `${a}.${(b << 16) | (c << 8) | d}`,
    dotted.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    dotted.replaceAll(".", "。"),
    dotted.replaceAll(/\d/g, (digit) => `%3${digit}`),
    `[::ffff:${dotted}]`,
    `[::ffff:${high}:${low}]`,
    `[::${dotted}]`,
    `[64:ff9b::${dotted}]`,
    `[64:ff9b:1::${high}:${low}]`,
    `[2002:${high}:${low}::]`,
    `${dotted}.nip.io`,
    `${dotted.replaceAll(".", "-")}.sslip.io`,
  ];
}
