/** What a list of dead letters answers; each event stays the text that was delivered. */
export interface DeadLetterView {
  readonly event: string;
}

export function formatDeadLetters(page: {
  readonly items: readonly DeadLetterView[];
  readonly cursor: string | null;
}): string {
  const items = page.items.map(({ event, ...letter }) => `${JSON.stringify(letter).slice(0, -1)},"event":${event}}`);
  return `{"items":[${items.join(",")}],"cursor":${JSON.stringify(page.cursor)}}`;
}
