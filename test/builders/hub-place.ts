/** Where the sockets of a local run end: it has no continent. */
import type { HubPlace } from "../../src/core/hub-place.ts";

export const hubPlaceOf = (app: string, shard = 0): HubPlace => ({ app, protocol: "native", region: "any", shard });
