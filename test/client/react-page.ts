/** What react.test.ts puts into a browser: two components on a hub in memory, and handles for the test. */
import { createElement, StrictMode, useState, type ReactElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { defineTopic } from "../../src/client/client.ts";
import { HubProvider, usePresence, useTopic } from "../../src/client/react.ts";
import { createTestHub } from "../../src/testing/test-hub.ts";

interface Element {
  appendChild<Child>(child: Child): Child;
}

const room = defineTopic("presence-rooms.:id");

function Log({ id, onRender }: { readonly id: string; readonly onRender: () => void }): ReactElement {
  const { events, state, gap, error } = useTopic(room({ id }), { from: "earliest", keep: 100 });
  onRender();
  const said = events.map(({ data }) => String(data)).join(" ");
  return createElement("p", { id: "log" }, [state, said, gap?.reason ?? "", error?.code ?? ""].join("|"));
}

function People({ id, mood }: { readonly id: string; readonly mood: string }): ReactElement {
  const { members, error } = usePresence(room({ id }), { data: { mood } });
  const here = members.map(({ id: member, data }) => `${member}:${(data as { mood: string }).mood}`).toSorted();
  return createElement("p", { id: "people" }, `${here.join(" ")}|${error?.code ?? ""}`);
}

interface Props {
  readonly id: string;
  readonly mood: string;
  readonly isShown: boolean;
}

const test = createTestHub({ allows: (_action, topic) => !topic.endsWith("closed") });
let renders = 0;
let change: (props: Partial<Props>) => void;

function App(): ReactElement {
  const [props, set] = useState<Props>({ id: "7", mood: "calm", isShown: true });
  change = (more) => flushSync(() => set((before) => ({ ...before, ...more })));
  const { id, mood, isShown } = props;
  const onRender = () => void (renders += 1);
  if (!isShown) return createElement("p", { id: "log" }, "away");
  return createElement("div", null, createElement(Log, { id, onRender }), createElement(People, { id, mood }));
}

// Of the page; the program's own types know no browser.
const { document } = globalThis as unknown as { document: { createElement(tag: string): Element; body: Element } };
const container = document.body.appendChild(document.createElement("div"));
const provider = createElement(HubProvider, { hub: test.connect({ id: "ada" }) }, createElement(App));
createRoot(container).render(createElement(StrictMode, null, provider));

Object.assign(globalThis, {
  test,
  other: test.connect({ id: "eve" }),
  change: (props: Partial<Props>) => change(props),
  renders: () => renders,
});
