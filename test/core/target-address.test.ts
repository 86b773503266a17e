import { expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { checkTargetAddress } from "../../src/core/target-address.ts";
import { PRIVATE_HOSTS } from "../builders/private-addresses.ts";

const PUBLIC = [
  "https://hooks.acme.com/tidings",
  "https://acme.com",
  "https://acme.com:443/x",
  "https://acme.com:8443/x?y=1",
  "https://a.b.c.d.acme.io/",
  "https://xn--bcher-kva.com/",
  "https://bücher.com/",
  "HTTPS://ACME.COM/",
  "https://localhost.acme.com/",
  "https://internal-tools.acme.com/",
  "https://acme.com/redirect?to=http://127.0.0.1",
  "https://1password.com/",
  "https://10.acme.com/",
];

const REFUSED = [
  // Schemes.
  "http://acme.com/",
  "ftp://acme.com/",
  "file:///etc/passwd",
  "data:text/plain,hi",
  "javascript:alert(1)",
  "gopher://acme.com/",
  "ws://acme.com/",
  "blob:https://acme.com/x",
  "//acme.com/",
  "acme.com",
  "/hook",
  "",
  // Loopback, by every spelling.
  "https://localhost/",
  "https://LOCALHOST/",
  "https://localhost./",
  "https://foo.localhost/",
  "https://127.0.0.1/",
  "https://127.1/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0177.0.0.1/",
  "https://0x7f.1/",
  "https://127.0.0.1./",
  "https://１２７.０.０.１/",
  "https://127。0。0。1/",
  "https://0/",
  "https://0.0.0.0/",
  "https://[::1]/",
  "https://[::]/",
  "https://[0:0:0:0:0:0:0:1]/",
  // Mapped, NAT64, 6to4, link-local and unique-local.
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[::127.0.0.1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[64:ff9b::127.0.0.1]/",
  "https://[2002:7f00:1::]/",
  "https://[fe80::1]/",
  "https://[fd00::1]/",
  "https://[fc00::]/",
  // Private, shared, link-local and metadata addresses; public ones too, because a target has a name.
  "https://10.0.0.1/",
  "https://172.16.0.1/",
  "https://192.168.1.1/",
  "https://100.64.0.1/",
  "https://169.254.169.254/latest/meta-data/",
  "https://198.18.0.1/",
  "https://224.0.0.1/",
  "https://255.255.255.255/",
  "https://8.8.8.8/",
  "https://[2606:4700::1111]/",
  // Names of inside.
  "https://intranet/",
  "https://db/",
  "https://printer.local/",
  "https://api.internal/",
  "https://router.home.arpa/",
  "https://nas.lan/",
  "https://metadata.google.internal/",
  "https://metadata/",
  "https://acme.com./",
  "https://acme..com/",
  "https://x.corp/",
  "https://x.onion/",
  // Names that stand for any address.
  "https://127.0.0.1.nip.io/",
  "https://10-0-0-1.sslip.io/",
  "https://app.127.0.0.1.xip.io/",
  "https://localtest.me/",
  "https://foo.lvh.me/",
  // Ports, users, fragments, odd characters.
  "https://acme.com:80/",
  "https://acme.com:22/",
  "https://acme.com:8080/",
  "https://acme.com:6379/",
  "https://user@acme.com/",
  "https://user:secret@acme.com/",
  "https://@acme.com/",
  "https://acme.com/#part",
  "https://acme.com/#",
  "https://acme.com\\@127.0.0.1/",
  "https://acme.com/\r\nx",
  " https://acme.com/",
  "https://acme.com/ ",
  "https://ac\tme.com/",
  "https://acme.com:99999/",
  "https://",
];

it.each(PUBLIC)("[SEC-1] %s may be a target", (address) => {
  expect(checkTargetAddress(address, false).ok).toBe(true);
});

it.each(REFUSED)("[SEC-1] %j may not", (address) => {
  expect(checkTargetAddress(address, false)).toMatchObject({ ok: false, failure: { code: "target_address_refused" } });
});

it.each(PRIVATE_HOSTS)("[SEC-1] nor may https://%s/", (host) => {
  expect(checkTargetAddress(`https://${host}/`, false).ok).toBe(false);
});

it("[SEC-1] a name is no longer than names can be", () => {
  const label = "a".repeat(63);
  expect(checkTargetAddress(`https://${label}.acme.com/`, false).ok).toBe(true);
  expect(checkTargetAddress(`https://${label}a.acme.com/`, false).ok).toBe(false);
  expect(checkTargetAddress(`https://${`${label}.`.repeat(4)}acme.com/`, false).ok).toBe(false);
});

it("[SEC-1] an address longer than the limit is refused with both lengths", () => {
  const address = `https://acme.com/${"x".repeat(LIMITS.URL_CHARS_MAX)}`;
  expect(checkTargetAddress(address, false)).toMatchObject({
    failure: { limit: LIMITS.URL_CHARS_MAX, actual: address.length },
  });
});

it.each([
  "http://127.0.0.1:3000/hook",
  "http://localhost:8080/",
  "https://[::1]:9000/",
  "http://10.0.0.1/",
  "https://printer.local/",
])("[SEC-2] where private targets are allowed %s is one", (address) => {
  expect(checkTargetAddress(address, true).ok).toBe(true);
});

it.each([
  "ftp://127.0.0.1/",
  "data:text/plain,hi",
  "http://user@127.0.0.1/",
  "http://127.0.0.1/#x",
  "127.0.0.1:3000",
  "",
])("[SEC-2] even there %j is not", (address) => {
  expect(checkTargetAddress(address, true).ok).toBe(false);
});
