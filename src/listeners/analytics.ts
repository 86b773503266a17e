/** Counts every event that its subscription brings, by topic and type, exactly once each. */
import { defineListener } from "../delivery/define-listener.ts";
import { countEvent } from "../store/analytics-store.ts";

export default defineListener({
  name: "analytics",
  handle: (event, { app, db }) => [countEvent(db, app, event.topic, event.type, Date.now())],
});
