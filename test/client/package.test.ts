/** The client library as others get it: its declarations, its size, and that it runs where there is nothing else. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildClientPackage, bundleClient, CLIENT_ENTRIES } from "../../scripts/lib/client-package.ts";
import { REPOSITORY } from "../../scripts/lib/wrangler.ts";

const CORE_BYTES_MAX = 8 * 1_024;

const run = promisify(execFile);
let project: string;

/** A project beside which the package is installed; types come from there, and from a browser. */
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "tidings-user-"));
  const installed = join(project, "node_modules", "tidings");
  mkdirSync(join(installed, "dist", "client"), { recursive: true });
  cpSync(join(REPOSITORY, "package.json"), join(installed, "package.json"));
  for (const name of ["zod"]) symlinkSync(join(REPOSITORY, "node_modules", name), join(project, "node_modules", name));
  await buildClientPackage(join(installed, "dist", "client"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "user", type: "module" }));
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022", "dom", "dom.asynciterable"],
    module: "nodenext",
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const typedProgram = (): string =>
  readFileSync(join(import.meta.dirname, "typed-program.ts"), "utf8").replaceAll(
    /"[./]+src\/client\/(\w+)\.ts"/g,
    '"tidings/$1"',
  );

/** Lines of the compiler's complaints. */
async function complaintsAbout(program: string): Promise<string[]> {
  writeFileSync(join(project, "program.ts"), program);
  const tsc = join(REPOSITORY, "node_modules", "typescript", "bin", "tsc");
  const output = await run(process.execPath, [tsc], { cwd: project }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
  return output.split("\n").filter((line) => line.includes("error TS"));
}

it("[CLI-11] types a program as it should, and refuses each line that is wrong", async () => {
  const program = typedProgram();
  expect(await complaintsAbout(program)).toEqual([]);
  // The control: without the comments, exactly those lines are refused.
  const wrong = program.split("\n").flatMap((line, index) => (line.includes("// @ts-expect-error") ? [index + 2] : []));
  const complaints = await complaintsAbout(program.replaceAll("@ts-expect-error", "wrong"));
  const refused = complaints.map((line) => Number(/^program\.ts\((\d+),/.exec(line)?.[1]));
  expect(wrong.length).toBeGreaterThan(15);
  expect([...new Set(refused)]).toEqual(wrong);
});

it("[CLI-12] runs in Node as a package, with nothing beside it", async () => {
  const script = `
    import { createHub } from "tidings/client";
    const hub = createHub({ url: "http://127.0.0.1:1", token: "t" });
    const receipt = hub.publish("t", { type: "t", data: 1 }).catch(({ code }) => code);
    hub.close();
    console.log(await receipt);`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: project });
  expect(stdout.trim()).toBe("hub_closed");
});

it("[CLI-12] has a core of at most 8 KB, and names nothing of Node", async () => {
  const core = await bundleClient(CLIENT_ENTRIES["client"]!, { minify: true });
  const bytes = gzipSync(core, { level: 9 }).byteLength;
  console.log(`The client's core: ${core.length} bytes, ${bytes} gzipped.`);
  expect(bytes).toBeLessThanOrEqual(CORE_BYTES_MAX);
  expect(core).not.toMatch(/\bnode:|\brequire\(|\bprocess\.|\bfrom\s*"/);
});
