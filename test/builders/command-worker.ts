/** A Worker beside the hub that decides commands. */
import { defineCommands } from "../../src/client/consumer.ts";
import { dated, race, tell, withdraw } from "./command-handlers.ts";

export default defineCommands(tell, withdraw, race, dated);
