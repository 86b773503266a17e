/** `npm run dev` as a real tree of processes. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findFreePort } from "../../scripts/lib/ports.ts";
import { HubProcess } from "../harness/hub-process.ts";
import { canReadProcesses } from "../harness/proc.ts";

const START_MS = 90_000;
const persistTo = mkdtempSync(join(tmpdir(), "tidings-dev-"));
afterAll(() => rmSync(persistTo, { recursive: true, force: true }));

const publish = (hub: HubProcess): Promise<Response> =>
  hub.request("/v1/topics/run.kept/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"type":"kept","data":1}`,
  });

describe.skipIf(!canReadProcesses)("npm run dev", () => {
  it(
    "[RUN-2] says once that it is ready, answers, and ends at Ctrl-C with 0 and nothing left behind",
    async () => {
      const port = await findFreePort();
      const hub = await HubProcess.start({ port, persistTo });
      expect((await publish(hub)).status).toBe(201);
      expect(hub.pids.length).toBeGreaterThan(1);
      expect(await hub.stop()).toEqual({ code: 0, orphans: [] });
      expect(hub.lines.filter((line) => line.includes("Ready on"))).toEqual([`Ready on http://localhost:${port}`]);
    },
    START_MS,
  );

  it(
    "[RUN-3] finds on the next start what the last one kept, and begins at the next offset",
    async () => {
      const hub = await HubProcess.start({ port: await findFreePort(), persistTo });
      const {
        events: [receipt],
      } = (await (await publish(hub)).json()) as { events: { offset: number }[] };
      expect(receipt!.offset).toBe(2);
      expect((await hub.stop()).code).toBe(0);
    },
    START_MS,
  );

  it(
    "[RUN-4] says in one line that its port is taken, and ends with 1",
    async () => {
      const port = await findFreePort();
      const squatter = createServer();
      await new Promise<void>((resolve) => {
        squatter.listen(port, "127.0.0.1", resolve);
      });
      const line = `Port ${port} is in use: stop what runs there, or choose another with --port N.`;
      await expect(HubProcess.start({ port, persistTo })).rejects.toThrow(
        `it ended with 1 before it was ready:\n${line}`,
      );
      await new Promise((resolve) => {
        squatter.close(resolve);
      });
    },
    START_MS,
  );

  it(
    "[RUN-5] ends with 1 and says so when the hub dies under it",
    async () => {
      const hub = await HubProcess.start({ port: await findFreePort(), persistTo });
      const [, ...children] = hub.pids.toSorted((left, right) => left - right);
      for (const pid of children) process.kill(pid, "SIGKILL");
      expect(await hub.exited).toBe(1);
      expect(hub.lines.join("\n")).toContain("The hub has ended unexpectedly");
      await hub.kill9();
    },
    START_MS,
  );
});
