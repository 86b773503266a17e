/** Puts the page together: the log is pushed over the WebSocket, the ledgers are asked for while somebody looks. */
import { byId, setText } from "./dom.js";
import { prepareRedriveAll, showDeadLetters } from "./dead-letters.js";
import { prepareFulfillment, showFulfillment } from "./fulfillment.js";
import { Hub, loadSession, Shop } from "./hub.js";
import { LiveTopics } from "./live.js";
import { showEvents, showGap } from "./log.js";
import { showOrderForm } from "./order-form.js";
import { showSubscriptions } from "./subscriptions.js";

const TOPICS = ["order.created", "payment.confirmed", "stock.updated"];
const HISTORY_EVENTS = 20;
const REFRESH_MS = 1_000;
const REFRESH_SOON_MS = 150;

const STATES = { connecting: "Connecting", live: "Live", lost: "Connection lost, trying again" };

try {
  await start();
} catch (error) {
  showConnection("lost", error.message);
}

async function start() {
  const session = await loadSession();
  const hub = new Hub(session.key);
  const shop = new Shop(session.orders);
  const refresh = prepareRefresh(hub, shop);
  const state = await shop.state();
  showOrderForm(shop, state, refresh.soon);
  prepareFulfillment(shop, refresh.soon);
  prepareRedriveAll(hub, refresh.subscriptionsWithDead, refresh.soon);

  const positions = await Promise.all(TOPICS.map(async (topic) => [topic, positionOf(await hub.lastOffset(topic))]));
  // Held for the page's life: it reconnects by itself.
  void new LiveTopics(hub.socketAddress(), new Map(positions), {
    events: (messages) => {
      showEvents(messages);
      refresh.soon();
    },
    gap: showGap,
    state: (name) => showConnection(name),
  });
}

/** A page opened late sees the latest history and everything after it. */
function positionOf(lastOffset) {
  return lastOffset <= HISTORY_EVENTS ? "earliest" : `offset:${lastOffset - HISTORY_EVENTS + 1}`;
}

function prepareRefresh(hub, shop) {
  let subscriptions = [];
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(run, REFRESH_SOON_MS);
  };
  const withDead = () => subscriptions.filter(({ stats }) => stats.dead > 0).map(({ name }) => name);

  async function run() {
    if (!document.hidden) await refresh().catch(() => {}); // The connection's state is shown already.
    clearTimeout(timer);
    timer = setTimeout(run, REFRESH_MS);
  }

  async function refresh() {
    subscriptions = await hub.subscriptions();
    showSubscriptions(hub, subscriptions, soon);
    const letters = await Promise.all(withDead().map((name) => hub.deadLetters(name)));
    showDeadLetters(hub, letters.flat().toSorted((left, right) => right.diedAt.localeCompare(left.diedAt)), soon);
    showFulfillment(await shop.state());
  }

  void run();
  document.addEventListener("visibilitychange", soon);
  return { soon, subscriptionsWithDead: withDead };
}

function showConnection(state, text = STATES[state]) {
  const connection = byId("connection");
  connection.dataset.state = state;
  setText(connection, text);
}
