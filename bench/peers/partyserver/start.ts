/** PartyServer in the same pinned runtime, at its own socket like the hub. */
import { join } from "node:path";
import { build } from "esbuild";
import { hostedPeer, type Hosted } from "../../sides/hosted.ts";
import { runtimePid, startRuntime } from "../../sides/runtime.ts";

export async function startPartyServer(persistTo: string): Promise<Hosted> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    conditions: ["workerd", "import"],
  });
  // Requests find a room by the binding's name.
  const { miniflare, url } = await startRuntime(persistTo, {
    name: "party",
    script: outputFiles[0]!.text,
    objects: { Room: "Room" },
    direct: true,
  });
  return hostedPeer(url, runtimePid(), () => miniflare.dispose());
}
