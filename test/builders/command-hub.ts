/** The hub with handlers of its own, as if they stood in src/listeners. */
import { registerListeners } from "../../src/delivery/listener-registry.ts";
import { dated, race, tell, withdraw } from "./command-handlers.ts";

registerListeners([tell, withdraw, race, dated]);

export * from "../../src/index.ts";
export { default } from "../../src/index.ts";
