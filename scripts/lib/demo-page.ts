import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleClient } from "./client-package.ts";
import { REPOSITORY } from "./wrangler.ts";

export interface DemoSession {
  readonly key: string;
  /** Where the shop answers, and where the chat's pages get their tokens. */
  readonly orders: string;
  readonly chat: string;
}

/**
 * The folder that the hub serves in local runs: the examples' pages and what they need to know. Made anew for each run
 * and never part of the tree, because it holds the root key.
 */
export async function prepareDemoPage(port: number, { key, orders, chat }: DemoSession): Promise<string> {
  const folder = join(REPOSITORY, ".wrangler", "demo-page", String(port));
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(REPOSITORY, "examples", "orders", "page"), folder, { recursive: true });
  writeFileSync(join(folder, "session.json"), JSON.stringify({ key, orders }));
  await writeChatPage(join(folder, "chat"), chat);
  return folder;
}

/** The chat's script is bundled with the client library that it uses, straight from the sources. */
async function writeChatPage(folder: string, tokens: string): Promise<void> {
  const page = join("examples", "chat", "page");
  mkdirSync(folder);
  for (const name of ["index.html", "chat.css"]) cpSync(join(REPOSITORY, page, name), join(folder, name));
  writeFileSync(join(folder, "main.js"), await bundleClient(join(page, "main.js")));
  writeFileSync(join(folder, "session.json"), JSON.stringify({ tokens }));
}
