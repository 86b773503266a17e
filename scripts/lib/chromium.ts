/** Where a Chromium stands on this machine; null when there is none, and the page is not tested. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

export function findChromium(env: Readonly<Record<string, string | undefined>>): string | null {
  const named = env["CHROMIUM_PATH"] ?? "";
  const folders = (env["PATH"] ?? "").split(delimiter);
  const candidates = [named, ...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), MAC];
  return candidates.find((path) => path !== "" && existsSync(path)) ?? null;
}
