/** The live log: the newest event on top, each one opened to the CloudEvent that it is. */
import { byId, element, euros, timeOf } from "./dom.js";

const KEPT_MAX = 200;

export function showEvents(messages) {
  const list = byId("log");
  byId("log-empty").hidden = true;
  for (const { event } of messages) insert(list, entry(event));
  while (list.children.length > KEPT_MAX) list.lastElementChild.remove();
}

/** Almost always at the top; the histories of three topics, which come one after the other, are woven together. */
function insert(list, node) {
  const later = (other) => (other.dataset.at ?? "") > node.dataset.at;
  list.insertBefore(node, [...list.children].find((other) => !later(other)) ?? null);
}

export function showGap({ topic, requested, firstHeld }) {
  const text = `Events ${requested} to ${firstHeld - 1} of ${topic} are no longer held.`;
  byId("log").prepend(element("li", { class: "gap" }, text));
}

function entry(event) {
  const { topic, partitionkey, offset, appendedat } = event;
  return element("li", { "data-topic": topic, "data-event": event.id, "data-at": appendedat },
    element("details", {},
      element("summary", {},
        element("span", { class: "topic" }, topic),
        element("span", { class: "words" }, wordsFor(event)),
        element("span", { class: "where" },
          element("span", { class: "key" }, partitionkey ?? ""),
          element("span", { title: `Offset ${offset} of ${topic}` }, `#${offset}`),
          element("time", { datetime: appendedat }, timeOf(appendedat)))),
      element("pre", { tabindex: "0", "aria-label": "The event" }, JSON.stringify(event, null, 2))));
}

function wordsFor({ topic, data }) {
  if (topic === "order.created") return `${data.customerName} orders ${countOf(data.items)} for ${euros(data.total)}`;
  if (topic === "payment.confirmed") return `${data.customerName} pays ${euros(data.amount)} by ${data.method}`;
  if (topic === "stock.updated") return `${data.name}: ${Math.abs(data.change)} taken, ${data.available} left`;
  return "";
}

function countOf(items) {
  const pieces = items.reduce((sum, { quantity }) => sum + quantity, 0);
  return pieces === 1 ? "1 piece" : `${pieces} pieces`;
}
