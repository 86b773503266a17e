/** Whether a partition's log comes near its limit, and what is to be told when that changes. */
import { LIMITS } from "./limits.ts";
import type { TopicNews } from "./operation-event.ts";

/** Each change is told once: it fills up from the threshold on, and no more when an eighth of that is free again. */
export function judgeFill(wasFilling: boolean, partition: number, bytes: number, threshold: number): TopicNews | null {
  if (!wasFilling && bytes >= threshold)
    return { kind: "topic.filling", partition, bytes, threshold, limit: LIMITS.LOG_BYTES_MAX };
  return wasFilling && bytes <= threshold - threshold / 8 ? { kind: "topic.roomy", partition, bytes } : null;
}
