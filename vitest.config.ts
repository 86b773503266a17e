import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const PURE = ["test/core/**/*.test.ts", "test/wire/**/*.test.ts"];
/** What counts how much a kill repeats: so much as comes within some milliseconds, which neighbours would stretch. */
const ALONE = ["test/crash/kill-nine.test.ts"];
/** For a busy machine; what a test waits for it gives up itself, and says what (test/harness/wait.ts). */
const BUSY = { testTimeout: 90_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      // Pure code and codecs: they keep nothing, so one process serves many files, which halves what they cost.
      { test: { name: "pure", include: [...PURE], isolate: false, ...BUSY } },
      // The rest of the code, the tree itself, and journeys that drive a hub from outside over HTTP and sockets.
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.workerd.test.ts", ...PURE, ...ALONE],
          ...BUSY,
        },
      },
      { test: { name: "alone", include: [...ALONE], sequence: { groupOrder: 1 }, ...BUSY } },
      // What must be seen from inside the runtime: evictions, alarms, rows.
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { ROOT_KEY: "test-root-key", ALLOW_PRIVATE_TARGETS: "1" } },
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.workerd.test.ts"],
          setupFiles: ["test/harness/quiet-end.ts"],
          testTimeout: 90_000,
        },
      },
    ],
    // For two cores: tests wait for a third of their time, and a fourth worker would only make the others slow.
    maxWorkers: 3,
  },
});
