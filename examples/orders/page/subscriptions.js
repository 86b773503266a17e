/** Each subscription as a card: what is owed, what arrived, what died, and how far behind it is. */
import { byId, element, setText, showList } from "./dom.js";

const COUNTS = [
  ["owed", "Owed", "To be delivered, what is in flight included"],
  ["inFlight", "In flight", "Being delivered now"],
  ["delivered", "Delivered", "Accepted by the consumer"],
  ["dead", "Dead", "Gave up; see the dead letters"],
  ["lag", "Lag", "Events not looked at yet"],
];

export function showSubscriptions(hub, subscriptions, changed) {
  const sorted = subscriptions.toSorted((left, right) => left.name.localeCompare(right.name));
  const make = (subscription) => card(hub, subscription, changed);
  showList(byId("subscriptions"), sorted, ({ name }) => name, make, update);
}

function card(hub, { name, topics, target }, changed) {
  const turn = async ({ currentTarget }) => {
    await hub.turn(name, currentTarget.dataset.verb);
    changed();
  };
  return element("li", { class: "card", "data-subscription": name },
    element("div", { class: "card-heading" },
      element("h3", {}, name),
      element("span", { class: "state" })),
    element("p", { class: "route" }, topics.join(", "), element("span", {}, ` → ${describeTarget(target)}`)),
    element("dl", {}, ...COUNTS.map(([count, label, title]) =>
      element("div", { "data-count": count, title }, element("dt", {}, label), element("dd", {}, "0")))),
    element("button", { type: "button", click: turn }));
}

function update(node, { name, state, stats }) {
  node.dataset.state = state;
  setText(node.querySelector(".state"), state);
  for (const [count] of COUNTS) {
    const figure = node.querySelector(`[data-count="${count}"]`);
    figure.classList.toggle("some", stats[count] > 0);
    setText(figure.querySelector("dd"), stats[count]);
  }
  const button = node.querySelector("button");
  const verb = state === "active" ? "pause" : "resume";
  button.dataset.verb = verb;
  button.setAttribute("aria-label", `${verb === "pause" ? "Pause" : "Resume"} ${name}`);
  setText(button, verb === "pause" ? "Pause" : "Resume");
}

const PLACES = { listener: "listener in the hub", worker: "Worker beside the hub" };
const describeTarget = (target) => PLACES[target.kind] ?? target.kind;
