/** Which processes stand under which, read from /proc: tests kill whole trees and look for orphans. Linux only. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

export const canReadProcesses = existsSync("/proc/self/stat");

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly name: string;
  readonly alive: boolean;
}

function readProcess(pid: number): ProcessRow | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold anything, parentheses too.
    const [state = "", parent = "", , session = ""] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    return { pid, parent: Number(parent), session: Number(session), name, alive: state !== "Z" && state !== "X" };
  } catch {
    return null; // It ended while we looked.
  }
}

const readProcesses = (): ProcessRow[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((row): row is ProcessRow => row !== null && row.alive);

export const childrenOf = (parent: number, name: string): number[] =>
  readProcesses()
    .filter((row) => row.parent === parent && row.name === name)
    .map((row) => row.pid);

/** A tree started with `detached` keeps its session even when a parent dies first. */
export const membersOfSession = (session: number): number[] =>
  readProcesses()
    .filter((row) => row.session === session)
    .map((row) => row.pid);

export const isAlive = (pid: number): boolean => readProcess(pid)?.alive ?? false;
