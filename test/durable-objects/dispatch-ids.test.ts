import { expect, it } from "vitest";
import { DispatchIds } from "../../src/durable-objects/subscription/dispatch-ids.ts";
import type { LedgerFacts } from "../../src/durable-objects/subscription/ledger-facts.ts";
import type { MetaStore } from "../../src/durable-objects/meta-store.ts";

/** The one row, as often as it was written. */
function ledgerRow(): { readonly store: MetaStore<LedgerFacts>; value: number | null; writes: number } {
  const row = {
    value: null as number | null,
    writes: 0,
    store: {
      read: () => row.value,
      write: (_name: string, value: number) => {
        row.value = value;
        row.writes += 1;
      },
    } as unknown as MetaStore<LedgerFacts>,
  };
  return row;
}

it("[DLV-11] dispatches are numbered upwards over evictions and failed transactions, so no late message names another", () => {
  const row = ledgerRow();
  let last = 0;
  for (let wake = 0; wake < 20; wake += 1) {
    const ids = new DispatchIds(row.store);
    for (let given = 0; given < 7 + wake * 13; given += 1) {
      const before = row.value;
      const id = ids.next();
      expect(id).toBeGreaterThan(last);
      expect(id).toBeLessThanOrEqual(row.value!);
      if (given % 5 === 0)
        row.value = before; // The transaction failed: nobody has heard of this number.
      else last = id;
    }
  }
});

it("[DLV-11] one row in a hundred numbers is written", () => {
  const row = ledgerRow();
  const ids = new DispatchIds(row.store);
  for (let given = 0; given < 1_000; given += 1) ids.next();
  expect(row.writes).toBe(10);
});
