import { expect, it } from "vitest";
import { deliveryKey } from "../../src/core/keys.ts";
import { comparePlaces, formatListCursor, parseDeliveryId, parseListCursor } from "../../src/core/ledger-ids.ts";

it("[DLV-12] a delivery's id leads back to its place", () => {
  for (const subscription of ["sub1", "sub_with_underscores", ""]) {
    expect(parseDeliveryId(subscription, deliveryKey(subscription, 3, 4_711))).toEqual({ source: 3, offset: 4_711 });
  }
});

it.each([
  "",
  "msg_other_1_2",
  "msg_sub_1",
  "msg_sub_1_2_3",
  "msg_sub_01_2",
  "msg_sub_1_",
  "msg_sub_-1_2",
  "msg_sub_1.5_2",
  "MSG_sub_1_2",
  "msg_sub_1_2 ",
])("[DLV-12] %j is no id of this subscription", (id) => {
  expect(parseDeliveryId("sub", id)).toBeNull();
});

it("[DLV-12] a list's cursor goes into text and back, and nothing else is one", () => {
  expect(parseListCursor(formatListCursor({ source: 12, offset: 34 }))).toEqual({ source: 12, offset: 34 });
  for (const text of ["", "1", "1_", "_1", "a_b", "1_2_3", "1_9999999999999999"])
    expect(parseListCursor(text)).toBeNull();
});

it("[DLV-12] lists go by source, then by offset", () => {
  const places = [
    { source: 2, offset: 1 },
    { source: 1, offset: 9 },
    { source: 1, offset: 2 },
  ];
  expect(places.toSorted(comparePlaces)).toEqual([
    { source: 1, offset: 2 },
    { source: 1, offset: 9 },
    { source: 2, offset: 1 },
  ]);
});
