/** Puts the page together: who enters gets a hub of their own, and a room shows until they leave it. */
import { createHub } from "../../../src/client/client.ts";
import { enterRoom } from "./room.js";

const STATES = {
  idle: "Not connected",
  connecting: "Connecting",
  open: "Connected",
  lost: "Connection lost, trying again",
  closed: "Not connected",
};

const byId = (id) => document.getElementById(id);

byId("enter").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  void enter(byId("name").value.trim(), byId("room").value.trim());
});

async function enter(name, roomName) {
  byId("refusal").textContent = "";
  const { tokens } = await (await fetch("session.json")).json();
  const hub = createHub({ url: location.origin, getToken: () => askForToken(tokens, name) });
  hub.onState(showState);
  hub.onError((error) => refuse(error));
  try {
    const leaveRoom = await enterRoom(hub, roomName, name);
    show(true);
    const leave = () => {
      leaveRoom();
      hub.close();
      show(false);
    };
    byId("leave").addEventListener("click", leave, { once: true });
  } catch (error) {
    refuse(error);
    hub.close();
  }
}

/** The backend says who may do what; the key stays there. */
async function askForToken(tokens, name) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${tokens}/token`, { method: "POST", headers, body: JSON.stringify({ name }) });
  const { token, error } = await response.json();
  if (!response.ok) throw new Error(error);
  return token;
}

function show(isInRoom) {
  byId("enter").hidden = isInRoom;
  byId("chat").hidden = !isInRoom;
  byId(isInRoom ? "text" : "name").focus();
}

function showState(state) {
  const connection = byId("connection");
  connection.dataset.state = state;
  connection.textContent = STATES[state];
}

function refuse(error) {
  byId("refusal").textContent = error.message;
}
