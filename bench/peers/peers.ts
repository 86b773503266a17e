/** What a user would pick instead of the hub, and what each promises of what it has taken. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { PeerKind } from "../sides/messages.ts";

export interface Peer {
  readonly kind: PeerKind;
  readonly name: string;
  /** A development dependency, or a program that has to be installed, named like its Debian package. */
  readonly comesAs: { readonly npm: string } | { readonly program: string };
  /** What has happened to an event when its publisher is answered. */
  readonly durability: string;
}

const REDIS = { name: "Redis Streams", comesAs: { program: "redis-server" } } as const;

export const PEERS = {
  durableStreams: {
    kind: "durable-streams",
    name: "Durable Streams, Node server",
    comesAs: { npm: "@durable-streams/server" },
    durability: "file-backed: fdatasync of the log and a commit of the position in LMDB, one append after another",
  },
  partyServer: {
    kind: "partyserver",
    name: "PartyServer, in workerd, without hibernation (its default)",
    comesAs: { npm: "partyserver" },
    durability: "memory only: nothing is stored",
  },
  socketIo: {
    kind: "socket-io",
    name: "Socket.IO, in Node, WebSocket transport",
    comesAs: { npm: "socket.io" },
    durability: "memory only: nothing is stored",
  },
  redisAlways: {
    ...REDIS,
    kind: "redis-always",
    durability: "appendfsync always: fsync of the append-only file, one for all commands of a turn",
  },
  redisEverySecond: {
    ...REDIS,
    kind: "redis-everysec",
    durability: "appendfsync everysec: written, not synced; a power failure loses up to a second",
  },
  nats: {
    kind: "nats",
    name: "NATS JetStream, file storage, one replica",
    comesAs: { program: "nats-server" },
    durability: "written, not synced; fsync every two minutes (the default, and 2.9 has no other)",
  },
} as const satisfies Record<string, Peer>;

/** Where programs stand: a user's PATH often leaves out the folder that Debian gives to servers. */
const programFolders = (): string[] => [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];

/** The path of an installed program; null: it is not installed. */
export function findProgram(program: string, folders: readonly string[] = programFolders()): string | null {
  const isRunnable = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return folders.map((folder) => join(folder, program)).find(isRunnable) ?? null;
}

/** Why a peer cannot be measured here; null: it can. */
export function absenceOf({ comesAs }: Peer, folders?: readonly string[]): string | null {
  if ("npm" in comesAs || findProgram(comesAs.program, folders) !== null) return null;
  return `${comesAs.program} is not installed (a Debian package of that name has it)`;
}

/** As installed: of the package by its exact pin, of a program by its own word. */
export function versionOf({ comesAs }: Peer): string {
  if ("npm" in comesAs) {
    const file = join(import.meta.dirname, "..", "..", "package.json");
    const { devDependencies } = JSON.parse(readFileSync(file, "utf8")) as { devDependencies: Record<string, string> };
    return devDependencies[comesAs.npm]!;
  }
  const program = findProgram(comesAs.program);
  if (program === null) return "not installed";
  return /\d+\.\d+\.\d+/.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[0] ?? "unknown";
}
