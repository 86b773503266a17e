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
  for (const name of ["zod", "react", "@types"])
    symlinkSync(join(REPOSITORY, "node_modules", name), join(project, "node_modules", name));
  await buildClientPackage(join(installed, "dist", "client"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "user", type: "module" }));
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022", "dom", "dom.asynciterable"],
    module: "nodenext",
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    jsx: "react-jsx",
    noEmit: true,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "*.tsx"] }));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const typedProgram = (): string =>
  readFileSync(join(import.meta.dirname, "typed-program.ts"), "utf8").replaceAll(
    /"[./]+src\/client\/(\w+)\.ts"/g,
    '"tidings/$1"',
  );

/** The examples of docs/client.md, in their order: together they are one program. */
const documented = (): string[] =>
  [...readFileSync(join(REPOSITORY, "docs", "client.md"), "utf8").matchAll(/^```tsx?\n([\s\S]*?)^```$/gm)].map(
    (block) => block[1]!,
  );

/** What the compiler complains of, as `file:line`. */
async function compile(): Promise<string[]> {
  const tsc = join(REPOSITORY, "node_modules", "typescript", "bin", "tsc");
  const output = await run(process.execPath, [tsc], { cwd: project }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
  const places = output.matchAll(/^(\S+?)\((\d+),\d+\): error TS/gm);
  return [...new Set([...places].map(([, file, line]) => `${file}:${line}`))];
}

it("[CLI-11, CLI-17] types programs as it should, its own examples too, and refuses each line that is wrong", async () => {
  const program = typedProgram();
  expect(documented().length).toBeGreaterThan(7);
  writeFileSync(join(project, "program.ts"), program);
  writeFileSync(join(project, "documented.tsx"), documented().join("\n"));
  // The control: without the comments, exactly the lines below them are refused.
  writeFileSync(join(project, "control.ts"), program.replaceAll("@ts-expect-error", "wrong"));
  const wrong = program.split("\n").flatMap((line, index) => (line.includes("// @ts-expect-error") ? [index + 2] : []));
  expect(wrong.length).toBeGreaterThan(15);
  expect(await compile()).toEqual(wrong.map((line) => `control.ts:${line}`));
}, 90_000);

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

it("[CLI-17] documents a test hub that does what the page says", async () => {
  const blocks = documented();
  const definitions = blocks.find((block) => block.includes("z.object"))!;
  const example = blocks.find((block) => block.includes("createTestHub"))!;
  const script = `import { defineEvent, defineTopic } from "tidings/client";\n${definitions}\n${example}`;
  writeFileSync(join(project, "run.ts"), script);
  const { stdout } = await run(process.execPath, ["run.ts"], { cwd: project });
  expect(stdout.trim()).toBe("[ 'are you there?' ] 1");
});
