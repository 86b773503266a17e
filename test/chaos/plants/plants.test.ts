/**
 * Goal: the chaos suite sees what it is there to see.
 * Method: twelve bugs in the bundle's copy of the sources, of which one at a time is awake, each under the smallest
 * workload that it spoils; the checkers are those of every run. The same workloads with all bugs asleep are the control.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DeliveryRecorder } from "../../builders/delivery-recorder.ts";
import { HubAccess } from "../../crash/hub-access.ts";
import { REPOSITORY, type Bundle } from "../../harness/bundle.ts";
import { startHub, type Hub } from "../../harness/hub.ts";
import { HistoryLog } from "../history.ts";
import { bundleFaultyHub } from "../hub/bundle-faulty.ts";
import { CALM, FAULTS_PATH, type Faults } from "../hub/faults.ts";
import { Recording } from "../recording.ts";
import { judge, type Verdict } from "../verdict.ts";
import { spoil } from "./plant-bugs.ts";
import { PLANT_NAMES, PLANTS } from "./plants.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

/** A bug that lets something be owed for ever is waited for so long. */
const PLANTED_DRAIN_MS = 3_000;
const CONTROL_DRAIN_MS = 60_000;

describe("the plants", () => {
  it.each(PLANTS.flatMap(({ name, spoils }) => spoils.map((spoiled) => [name, spoiled.file, spoiled] as const)))(
    "[CHAOS-3] %s finds what it spoils exactly once, in %s",
    (name, file, spoiled) => {
      const source = readFileSync(join(REPOSITORY, "src", file), "utf8");
      expect(spoil(source, name, spoiled)).not.toBe(source);
      expect(() => spoil(`${source}${spoiled.text}`, name, spoiled)).toThrow("2 times");
      expect(() => spoil("", name, spoiled)).toThrow("0 times");
    },
  );

  it("[CHAOS-3] are twelve, and each has its scenario", () => {
    expect(PLANTS.map(({ name }) => name)).toEqual(PLANT_NAMES);
    expect(SCENARIOS.map(({ plant }) => plant)).toEqual(PLANT_NAMES);
  });
});

describe("a hub with twelve bugs in it", () => {
  let bundle: Bundle;
  let hub: Hub;

  beforeAll(async () => {
    bundle = await bundleFaultyHub(PLANTS);
    hub = await startHub({ bundle });
  });

  afterAll(async () => {
    await hub.close();
    rmSync(bundle.folder, { recursive: true });
  });

  it("[CHAOS-3] is as good as any while they sleep", async () => {
    // What kills the runtime would disturb the others.
    const [killing, ...others] = SCENARIOS;
    const verdicts = await Promise.all(others.map((scenario) => play(scenario, "control", CONTROL_DRAIN_MS)));
    verdicts.push(await play(killing!, "control", CONTROL_DRAIN_MS));
    expect(verdicts).toHaveLength(SCENARIOS.length);
    expect(verdicts.flatMap((verdict) => [...verdict])).toEqual([]);
  });

  it.each(SCENARIOS)("[CHAOS-3] is caught with $plant, by: $caughtBy", async (scenario) => {
    await tellFaults({ planted: scenario.plant });
    const verdict = await play(scenario, "planted", PLANTED_DRAIN_MS);
    await tellFaults({});
    const said = [...verdict].map(([checker, complaints]) => `${checker} (${complaints.length}: ${complaints[0]})`);
    console.log(`${scenario.plant}: ${said.join("; ")}`);
    expect([...verdict.keys()]).toContain(scenario.caughtBy);
  });

  async function play(scenario: Scenario, run: string, drainWithinMs: number): Promise<Verdict> {
    const history = new HistoryLog();
    const recording = new Recording();
    const takesAll = (): "taken" => "taken";
    const recorder = await DeliveryRecorder.open(scenario.judge ?? takesAll, (...attempt) =>
      recording.note(...attempt),
    );
    const request = (path: string, init?: RequestInit): Promise<Response> => hub.request(path, init);
    const socketUrl = hub.url.replace("http", "ws");
    const world = { seed: 1, request, access: new HubAccess(request), socketUrl, recorder, history };
    const planted = run === "planted" ? scenario.plant : null;
    const stage = { hub, world, name: `${scenario.plant}-${run}`, drainWithinMs };
    try {
      await scenario.play({ ...stage, spoil: (faults) => tellFaults({ planted, ...faults }) });
    } finally {
      await recorder.close();
    }
    recording.tell(history);
    return judge(history.lines);
  }

  async function tellFaults(faults: Partial<Faults>): Promise<void> {
    await hub.json("POST", FAULTS_PATH, { ...CALM, ...faults });
  }
});
