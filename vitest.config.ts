import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      // Pure code, codecs, the tree itself, and journeys that drive a hub from outside over HTTP and sockets.
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.workerd.test.ts"],
          // For a busy machine; what a test waits for it gives up itself, and says what (test/harness/wait.ts).
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      // What must be seen from inside the runtime: evictions, alarms, rows.
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { ROOT_KEY: "test-root-key", ALLOW_PRIVATE_TARGETS: "1" } },
          }),
        ],
        test: { name: "workerd", include: ["test/**/*.workerd.test.ts"], testTimeout: 90_000 },
      },
    ],
    // For two cores: tests wait for a third of their time, and a fourth worker would only make the others slow.
    maxWorkers: 3,
  },
});
