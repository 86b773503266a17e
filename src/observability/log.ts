/** One wide structured line per stage. Never a secret, never a payload. */
type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** `stage` is a fact in past tense, dotted: `delivery.dead_lettered`. */
export function logStage(stage: string, fields: LogFields): void {
  console.log(JSON.stringify({ stage, ...fields }));
}
