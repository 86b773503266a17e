/** The form that places orders. An order keeps its id until it is accepted, so pressing twice places it once. */
import { byId, element, euros, setText } from "./dom.js";

const STARTING_QUANTITIES = { "kettle-steel": 1, "cup-stoneware": 2 };

export function showOrderForm(shop, { products, customers }, placed) {
  byId("customer").replaceChildren(...customers.map(({ id, name }) => element("option", { value: id }, name)));
  byId("products").replaceChildren(...products.map(productRow));
  const form = byId("order-form");
  const again = byId("again");
  const sum = () => totalOf(products, quantities());
  const showTotal = () => setText(byId("total"), euros(sum()));
  let last = null;

  form.addEventListener("input", showTotal);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const items = Object.entries(quantities()).map(([id, quantity]) => ({ id, quantity }));
    if (items.length === 0) return say("Choose at least one item.", "refused");
    last = { orderId: newOrderId(), customerId: byId("customer").value, items, total: sum() };
    await send(last);
  });
  again.addEventListener("click", () => send(last));
  showTotal();

  async function send(command) {
    try {
      const { receipt } = await shop.place(command);
      again.hidden = false;
      say(receipt.duplicate
        ? `The hub knows ${command.orderId} already: offset ${receipt.offset}, a duplicate, nothing appended.`
        : `Order ${command.orderId} stands in the log at offset ${receipt.offset}.`, "accepted");
      placed();
    } catch (error) {
      say(error.message, "refused");
    }
  }
}

function productRow({ id, name, price }) {
  const field = `quantity-${id}`;
  return element("li", {},
    element("label", { for: field }, name, element("span", { class: "price" }, euros(price))),
    element("input", {
      id: field, name: id, type: "number", min: 0, max: 99, step: 1, required: "", inputmode: "numeric",
      value: STARTING_QUANTITIES[id] ?? 0,
    }));
}

function quantities() {
  const inputs = byId("products").querySelectorAll("input");
  const chosen = [...inputs].map(({ name, valueAsNumber }) => [name, valueAsNumber || 0]);
  return Object.fromEntries(chosen.filter(([, quantity]) => quantity > 0));
}

/** In cents: 6.8 × 9 is not 61.2 in binary, and the shop looks at the sum. */
const totalOf = (products, chosen) =>
  products.reduce((cents, { id, price }) => cents + Math.round(price * 100) * (chosen[id] ?? 0), 0) / 100;

const newOrderId = () => `ord-${crypto.randomUUID().slice(0, 8)}`;

function say(text, outcome) {
  const answer = byId("order-answer");
  answer.dataset.outcome = outcome;
  setText(answer, text);
}
