import { describe, expect, it } from "vitest";
import { chooseShard, regionOf, type KnownShards } from "../../src/core/hub-place.ts";
import { hubName, parseObjectName } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";

const known = (more: Partial<KnownShards> = {}): KnownShards => ({
  shards: [0, 1, 2],
  full: new Set<number>(),
  areCurrent: false,
  ...more,
});

describe("the place of a socket", () => {
  it("[HUB-1] is in the region of its continent, and anywhere where that is not known", () => {
    expect(["AF", "AS", "EU", "NA", "OC", "SA"].map(regionOf)).toEqual(["afr", "apac", "weur", "enam", "oc", "sam"]);
    expect(["AN", "T1", undefined].map(regionOf)).toEqual(["any", "any", "any"]);
  });

  it("[HUB-1] is any hub that is not known to be full, each as likely as the others", () => {
    const shardAt = (random: number) => chooseShard(known({ full: new Set([1]) }), random);
    expect([0, 0.49, 0.5, 0.999].map(shardAt)).toEqual([0, 0, 2, 2].map((shard) => ({ kind: "enter", shard })));
  });

  it("[HUB-1] is looked for again before a hub is made, and there is an end to making them", () => {
    const full = new Set([0, 1, 2]);
    expect(chooseShard(known({ full }), 0.5)).toEqual({ kind: "look" });
    expect(chooseShard(known({ full, areCurrent: true }), 0.5)).toEqual({ kind: "make", shard: 3 });
    expect(chooseShard(known({ shards: [], areCurrent: true }), 0.5)).toEqual({ kind: "make", shard: 0 });
    const shards = Array.from({ length: LIMITS.REGION_HUBS_MAX }, (_, shard) => shard);
    expect(chooseShard({ shards, full: new Set(shards), areCurrent: true }, 0.5)).toEqual({ kind: "refuse" });
  });

  it("[HUB-1] is what the hub's name says", () => {
    const place = { app: "app_a", protocol: "pusher", region: "weur", shard: 3 } as const;
    expect(parseObjectName(hubName(place))).toEqual({ kind: "hub", ...place });
  });
});
