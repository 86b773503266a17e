import { expect, it } from "vitest";
import { isOrigin } from "../../src/core/origin.ts";

it.each([
  "https://shop.example",
  "https://shop.example:8443",
  "https://xn--bcher-kva.example",
  "https://127.0.0.1",
  "http://localhost",
  "http://localhost:5173",
  "http://127.0.0.1:3000",
])("[ACC-17] a browser sends %s as an origin", (text) => {
  expect(isOrigin(text)).toBe(true);
});

it.each([
  "",
  "null",
  "*",
  "https://*.example",
  "https://*",
  "https://shop.example/",
  "https://shop.example/path",
  "https://shop.example?",
  "https://shop.example#",
  "https://Shop.example",
  "HTTPS://shop.example",
  "https://shop.example:443",
  "http://localhost:80",
  "http://shop.example",
  "http://localhost.evil.example",
  "http://192.168.0.1",
  "https://user@shop.example",
  "https://shop.example:99999",
  "https://shop.example:",
  "https://",
  "https://bücher.example",
  "https://0x7f.1",
  "https://shop.example\n",
  " https://shop.example",
  "wss://shop.example",
  "file://",
  "chrome-extension://abc",
  "shop.example",
])("[ACC-17] no browser sends %j as one, or it is not for the open net", (text) => {
  expect(isOrigin(text)).toBe(false);
});
