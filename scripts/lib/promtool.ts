/** Where Prometheus' own tool stands on this machine; null when there is none, and metrics are not judged by it. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export function findPromtool(env: Readonly<Record<string, string | undefined>>): string | null {
  const candidates = (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "promtool"));
  return candidates.find((path) => existsSync(path)) ?? null;
}
