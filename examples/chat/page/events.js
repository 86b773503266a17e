/** What is said in a room. Any Standard Schema will do; these two need no library. */
import { defineEvent, defineTopic } from "../../../src/client/client.ts";

/** `problem` answers what is wrong with the data; undefined: nothing. */
const schema = (problem) => ({
  "~standard": {
    version: 1,
    vendor: "chat",
    validate: (value) => {
      const message = problem(value);
      return message === undefined ? { value } : { issues: [{ message }] };
    },
  },
});

const isText = (value) => typeof value === "string" && value !== "";

export const said = defineEvent(
  "chat.said",
  schema((data) => (isText(data?.name) && isText(data?.text) ? undefined : "A message has a name and a text.")),
);

/** Kept by nobody: it goes to who is here now. */
export const typing = defineEvent(
  "client-typing",
  schema(() => undefined),
);

export const room = defineTopic("presence-chat/:room", [said, typing]);
