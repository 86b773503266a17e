/** One room: its history and what is said from then on, who is here, and who is typing. All of it shown as text. */
import { room, said, typing } from "./events.js";

/** How long somebody is typing after a key was pressed, and how often that is told. */
const TYPING_MS = 3_000;
const TELL_TYPING_MS = 1_000;
const HISTORY_EVENTS_MAX = 500;

const byId = (id) => document.getElementById(id);

/** Resolves, with how to leave, when the hub counts this user among those who are here. */
export async function enterRoom(hub, roomName, name) {
  const topic = room({ room: roomName });
  byId("messages").replaceChildren();
  await hub.presence.enter(topic);
  const subscription = hub.subscribe(topic, { from: "earliest" });
  const typists = new Typists(name);
  void follow(subscription, typists);
  const stopWatching = hub.presence.subscribe(topic, (members) => showMembers(members, name));
  const leaving = new AbortController();
  prepareForm(hub, topic, name, leaving.signal);
  return () => {
    leaving.abort();
    stopWatching();
    typists.clear();
    void subscription.return();
    hub.presence.leave(topic);
  };
}

async function follow(subscription, typists) {
  try {
    for await (const item of subscription) {
      if (item.kind === "gap") showLine("gap", "", "Older messages are gone.");
      if (item.kind !== "event") continue;
      if (item.event.type === "client-typing") typists.note(item.event.user);
      else {
        typists.forget(item.event.data.name);
        showLine("said", item.event.data.name, item.event.data.text);
      }
    }
  } catch (error) {
    showLine("gap", "", error.message);
  }
}

/** Until the signal. */
function prepareForm(hub, topic, name, signal) {
  const text = byId("text");
  let toldAt = 0;
  const tellTyping = () => {
    if (Date.now() - toldAt < TELL_TYPING_MS) return;
    toldAt = Date.now();
    hub.signal(topic, typing(null)).catch(() => {}); // Whoever is offline types for themselves.
  };
  const say = (submitted) => {
    submitted.preventDefault();
    const message = said({ name, text: text.value });
    text.value = "";
    toldAt = 0;
    void send(hub, topic, message);
  };
  text.addEventListener("input", tellTyping, { signal });
  byId("say").addEventListener("submit", say, { signal });
}

/** While the hub is away a message waits, and is sent when it is there again: the page says so. */
async function send(hub, topic, message) {
  const sent = hub.publish(topic, message);
  showPending(hub);
  await sent.catch((error) => showLine("gap", "", `Not sent: ${error.message}`));
  showPending(hub);
}

function showPending({ pending }) {
  byId("pending").textContent = pending === 0 ? "" : `${pending} on the way`;
}

function showMembers(members, own) {
  const names = members.map(({ id }) => (id === own ? `${id} (you)` : id)).toSorted();
  byId("here").replaceChildren(...names.map((name) => elementOf("li", name)));
}

function showLine(kind, name, text) {
  const line = elementOf("li", "");
  line.className = kind;
  if (name !== "") line.append(elementOf("b", name), " ");
  line.append(text);
  const messages = byId("messages");
  messages.append(line);
  if (messages.childElementCount > HISTORY_EVENTS_MAX) messages.firstElementChild.remove();
  messages.scrollTop = messages.scrollHeight;
}

function elementOf(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

class Typists {
  #own;
  /** Timers by name. */
  #timers = new Map();

  constructor(own) {
    this.#own = own;
  }

  note(name) {
    if (name === undefined || name === this.#own) return;
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => this.forget(name), TYPING_MS),
    );
    this.#show();
  }

  forget(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    this.#show();
  }

  clear() {
    for (const name of this.#timers.keys()) this.forget(name);
  }

  #show() {
    const names = [...this.#timers.keys()];
    byId("typing").textContent = names.length === 0 ? "" : `${names.join(", ")} typing …`;
  }
}
