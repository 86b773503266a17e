import { describe, expect, it } from "vitest";
import { customerOf, isInCidr, isPublicAddress, parseCidr, parseIpAddress } from "../../src/core/ip-address.ts";

describe("[SEC-6] an address of a machine", () => {
  it.each([
    ["0.0.0.0", 32, 0n],
    ["127.0.0.1", 32, 0x7f000001n],
    ["255.255.255.255", 32, 0xffffffffn],
    ["::", 128, 0n],
    ["::1", 128, 1n],
    ["1::", 128, 1n << 112n],
    ["::ffff:127.0.0.1", 128, 0xffff7f000001n],
    ["64:ff9b::10.0.0.1", 128, (0x64n << 112n) | (0xff9bn << 96n) | 0x0a000001n],
    ["2606:4700:4700::1111", 128, (0x2606n << 112n) | (0x4700n << 96n) | (0x4700n << 80n) | 0x1111n],
    ["A:B:C:D:E:F:1:2", 128, 0x000a000b000c000d000e000f00010002n],
    ["1:2:3:4:5:6:7::", 128, 0x00010002000300040005000600070000n],
  ])("is read: %s", (text, bits, value) => {
    expect(parseIpAddress(text)).toEqual({ bits, value });
  });

  it.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.1.1.1",
    "1.2.3.4 ",
    "0x7f.0.0.1",
    "a.b.c.d",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "[::1]",
    "::1.2.3",
    "1.2.3.4::",
  ])("is not: %j", (text) => {
    expect(parseIpAddress(text)).toBeNull();
  });
});

describe("[SEC-6] a block of addresses", () => {
  const inBlock = (address: string, block: string): boolean => isInCidr(parseIpAddress(address)!, parseCidr(block)!);

  it("holds what shares its leading bits, and nothing of the other kind", () => {
    expect(inBlock("10.255.255.255", "10.0.0.0/8")).toBe(true);
    expect(inBlock("11.0.0.0", "10.0.0.0/8")).toBe(false);
    expect(inBlock("1.2.3.4", "0.0.0.0/0")).toBe(true);
    expect(inBlock("10.0.0.7", "10.0.0.33/24")).toBe(true);
    expect(inBlock("1.2.3.4", "1.2.3.4/32")).toBe(true);
    expect(inBlock("::1", "0.0.0.0/0")).toBe(false);
    expect(inBlock("fdff::1", "fc00::/7")).toBe(true);
  });

  it.each(["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/-1", "/8", "x/8"])("is not %s", (text) => {
    expect(parseCidr(text)).toBeNull();
  });
});

/** The first and the last address of each special block, and their neighbours outside where those are public. */
describe("[SEC-6] an address", () => {
  it.each(
    [
      "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1",
      "127.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255",
      "192.0.0.0 192.0.0.255 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.0",
      "192.168.255.255 192.175.48.1 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.255",
      "224.0.0.1 239.255.255.255 240.0.0.0 255.255.255.255",
      ":: ::1 ::7f00:1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::10.0.0.1",
      "64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:1ff:ffff::1 2001:db8::1",
      "2002:0a00:1:: 2002:808:808:: 2620:4f:8000::1 3fff::1 3fff:fff::1 4000::1 5f00::1",
      "fc00::1 fd12::1 fdff:ffff::1 fe80::1 febf::1 fec0::1 ff02::1 ffff::1",
    ].flatMap((line) => line.split(" ")),
  )("%s is not public", (text) => {
    expect(isPublicAddress(parseIpAddress(text)!)).toBe(false);
  });

  it.each(
    [
      "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0",
      "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255",
      "192.169.0.0 198.17.255.255 198.20.0.0 203.0.114.0 223.255.255.255",
      "2001:200::1 2003::1 2606:4700::1111 2a00:1450::1 3ffe::1 3fff:1000::1",
    ].flatMap((line) => line.split(" ")),
  )("%s is", (text) => {
    expect(isPublicAddress(parseIpAddress(text)!)).toBe(true);
  });
});

describe("[ACC-31] a customer", () => {
  it("has one address of IPv4, and a /64 of IPv6 however it is written", () => {
    const addresses = ["2001:db8:1:2::1", "2001:DB8:1:2:ffff::9", "2001:0db8:0001:0002:0:0:0:3"];
    expect(new Set(addresses.map(customerOf)).size).toBe(1);
    const others = [
      "2001:db8:1:3::1",
      "2001:db8:1:2::1",
      "192.0.2.1",
      "192.0.2.2",
      "::ffff:192.0.2.1",
      "::ffff:192.0.2.3",
    ];
    expect(new Set(others.map(customerOf)).size).toBe(others.length);
    expect(["local", "192.0.2.1", ""].map(customerOf)).toEqual(["local", "192.0.2.1", ""]);
  });
});
