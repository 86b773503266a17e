/** Redis with an append-only file, which is synced before each answer or once a second. */
import type { Hosted } from "../../sides/hosted.ts";
import { startChildServer } from "../child-server.ts";

export const startRedis = (persistTo: string, appendfsync: "always" | "everysec"): Promise<Hosted> =>
  startChildServer("redis-server", "redis", (port) => [
    ...`--bind 127.0.0.1 --port ${port} --appendonly yes --appendfsync ${appendfsync}`.split(" "),
    "--dir",
    persistTo,
    "--save",
    "",
  ]);
