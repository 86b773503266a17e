/** The switch that breaks and repairs the one consumer that needs it. */
import { byId, setText } from "./dom.js";

export function prepareFulfillment(shop, changed) {
  byId("repair-button").addEventListener("click", async ({ currentTarget }) => {
    showFulfillment(await shop.turnFulfillment(currentTarget.dataset.verb));
    changed();
  });
}

export function showFulfillment({ fulfillment, picked }) {
  const broken = fulfillment === "broken";
  byId("repair").dataset.state = fulfillment;
  const works = `Fulfillment works; ${picked.length === 1 ? "1 order is" : `${picked.length} orders are`} picked.`;
  setText(byId("repair-text"), broken ? "Fulfillment is broken: its label printer answers 500 to everything." : works);
  const button = byId("repair-button");
  button.disabled = false;
  button.dataset.verb = broken ? "repair" : "break";
  setText(button, broken ? "Repair Fulfillment" : "Break Fulfillment");
}
