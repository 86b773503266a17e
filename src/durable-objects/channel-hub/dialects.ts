/** Which protocol a hub speaks: it stands in its name. */
import type { HubProtocol } from "../../core/hub-place.ts";
import { NATIVE } from "./dialect-native.ts";
import { PUSHER } from "./dialect-pusher.ts";
import type { Dialect } from "./dialect.ts";

export const DIALECTS: Readonly<Record<HubProtocol, Dialect>> = { native: NATIVE, pusher: PUSHER };
