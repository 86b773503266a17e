/** Mermaid's own escapes, for what would end a label or be taken for markup. */
export const mermaidLabel = (text: string): string =>
  text.replaceAll(/["#<>&`;%]/g, (char) => `#${char.codePointAt(0)!};`).replaceAll(/\s+/g, " ");
