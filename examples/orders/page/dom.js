/** Elements made without markup: whatever came over the wire becomes text and nothing else. */

/**
 * @param {string} tag
 * @param {Record<string, unknown>} properties become attributes; a function listens for the event it is named after
 * @param {...(Node | string | number)} children
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Writes text only when it changed, so that screen readers and selections are left in peace. */
export function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = String(text);
}

/**
 * Makes a list show these items in this order, keeping the nodes of items that stay: focus, open details and scroll
 * position survive.
 */
export function showList(list, items, keyOf, make, update) {
  const nodes = new Map([...list.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, index) => {
    const key = keyOf(item);
    const node = nodes.get(key) ?? make(item);
    node.dataset.key = key;
    nodes.delete(key);
    update?.(node, item);
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  for (const node of nodes.values()) node.remove();
}

export const euros = (amount) => `€ ${Number(amount).toFixed(2)}`;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

export const timeOf = (text) => clock.format(new Date(text));
