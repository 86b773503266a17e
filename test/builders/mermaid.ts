/** Diagrams drawn by Mermaid itself, in a real browser; it does not run without one. */
import { createRequire } from "node:module";
import { chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/lib/chromium.ts";

const executablePath = findChromium(process.env);

/** False: what is drawn cannot be tested on this machine. */
export const canDraw = executablePath !== null;

/** The words of each drawing, in the order of the texts. Throws what Mermaid says of a text that it cannot draw. */
export async function draw(texts: readonly string[]): Promise<readonly (readonly string[])[]> {
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ["--no-sandbox", "--disable-dev-shm-usage"], // Containers give a browser neither.
  });
  try {
    const page = await browser.newPage();
    await page.setContent("<!doctype html><body></body>");
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("mermaid/dist/mermaid.min.js") });
    const drawn: string[][] = [];
    for (const [index, text] of texts.entries()) drawn.push(await drawOne(page, `d${index}`, text));
    return drawn;
  } finally {
    await browser.close();
  }
}

const drawOne = (page: Page, id: string, text: string): Promise<string[]> =>
  page.evaluate(
    async ([name, source]) => {
      const { document, mermaid } = globalThis as unknown as Drawing;
      mermaid.initialize({ startOnLoad: false, suppressErrorRendering: true });
      const { svg } = await mermaid.render(name!, source!);
      document.body.innerHTML = svg;
      const words = [...document.querySelectorAll("text, foreignObject span.nodeLabel, foreignObject p")];
      return words.map((node) => (node.textContent ?? "").trim()).filter((word) => word !== "");
    },
    [id, text],
  );

/** What stands in the page; the repository's types know no browser. */
interface Drawing {
  readonly mermaid: { initialize(more: object): void; render(id: string, text: string): Promise<{ svg: string }> };
  readonly document: {
    readonly body: { innerHTML: string };
    querySelectorAll(selector: string): Iterable<{ readonly textContent: string | null }>;
  };
}
