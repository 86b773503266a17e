import { expect, it } from "vitest";
import { judgeFill } from "../../src/core/log-fill.ts";

it("[OPS-3] a log fills up at the threshold, and has room again when an eighth of it is free", () => {
  const kindAt = (wasFilling: boolean, bytes: number) => judgeFill(wasFilling, 0, bytes, 800)?.kind;
  expect([799, 800].map((bytes) => kindAt(false, bytes))).toEqual([undefined, "topic.filling"]);
  expect([900, 800, 799, 701, 700].map((bytes) => kindAt(true, bytes))).toEqual([
    ...Array<undefined>(4).fill(undefined),
    "topic.roomy",
  ]);
});
