/** What could not be delivered, why, and every attempt; with a click it goes again. */
import { byId, element, setText, showList, timeOf } from "./dom.js";

const REASONS = { attempts_exhausted: "used up its attempts", refused_permanently: "was refused for good" };

export function showDeadLetters(hub, letters, changed) {
  byId("dead-empty").hidden = letters.length > 0;
  byId("redrive-all").disabled = letters.length === 0;
  const count = byId("dead-count");
  count.hidden = letters.length === 0;
  setText(count, letters.length);
  showList(byId("dead-letters"), letters, ({ id }) => id, (letter) => row(hub, letter, changed));
}

/** Sends everything again, subscription by subscription. */
export function prepareRedriveAll(hub, subscriptionsWithDead, changed) {
  byId("redrive-all").addEventListener("click", async () => {
    const answers = await Promise.all(subscriptionsWithDead().map((name) => hub.redrive(name, { all: true })));
    say(answers.reduce((sum, { matched }) => sum + matched, 0));
    changed();
  });
}

function row(hub, letter, changed) {
  const { id, subscription, event, reason, diedAt, attempts } = letter;
  const last = attempts.at(-1);
  const key = event.partitionkey ?? event.id;
  const redrive = async ({ currentTarget }) => {
    currentTarget.disabled = true;
    const { matched } = await hub.redrive(subscription, { ids: [id] });
    say(matched);
    changed();
  };
  return element("li", { class: "letter", "data-subscription": subscription },
    element("div", { class: "letter-heading" },
      element("h3", {}, `${event.type} `, element("span", { class: "key" }, key)),
      element("button", { type: "button", click: redrive, "aria-label": `Redrive ${event.type} ${key}` }, "Redrive")),
    element("p", { class: "why" },
      element("span", { class: "status" }, statusOf(last)), ` ${subscription} ${REASONS[reason] ?? reason}, `,
      element("time", { datetime: diedAt }, timeOf(diedAt))),
    element("p", { class: "excerpt" }, last?.excerpt ?? ""),
    element("details", {},
      element("summary", {}, attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`),
      element("ol", { class: "attempts" }, ...attempts.map((attempt) =>
        element("li", {}, `${timeOf(attempt.at)} · ${statusOf(attempt)} · ${attempt.durationMs} ms`)))));
}

const statusOf = (attempt) => (attempt === undefined ? "" : String(attempt.status ?? attempt.error ?? "no answer"));

const say = (matched) => setText(byId("dead-answer"),
  matched === 1 ? "1 dead letter goes again." : `${matched} dead letters go again.`);
