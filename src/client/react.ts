/**
 * What `tidings/react` exports: a topic and its members as state of components.
 *
 *     <HubProvider hub={hub}> … const { events, state } = useTopic(room({ id }), { from: "earliest" });
 *
 * Components that show one topic from the same place share one follow, as readers of one hub do.
 */
import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from "react";
import { TidingsError } from "./client-error.ts";
import type { AnyDefinition } from "./event-definition.ts";
import type { Hub } from "./hub.ts";
import { PresenceStore, type PresenceView } from "./presence-store.ts";
import type { Topic } from "./topic-definition.ts";
import { TopicStore, type TopicOptions, type TopicView } from "./topic-store.ts";

const HubContext = createContext<Hub | null>(null);

/** The hub is made outside, once, and closed by who made it. */
export const HubProvider = ({ hub, children }: { readonly hub: Hub; readonly children?: ReactNode }): ReactElement =>
  createElement(HubContext.Provider, { value: hub }, children);

/** Throws where no HubProvider stands above. */
export function useHub(): Hub {
  const hub = useContext(HubContext);
  if (hub === null) throw new Error("useHub needs a HubProvider above it.");
  return hub;
}

/** The topic's last events, oldest first, from `from` on (`latest`), and where the subscription stands. */
export function useTopic<Definition extends AnyDefinition = AnyDefinition>(
  topic: string | Topic<Definition>,
  { from, filter, keep }: TopicOptions = {},
): TopicView<Definition> {
  const hub = useHub();
  const name = nameOf(topic);
  const filterText = JSON.stringify(filter);
  const options = { from, keep, filter: filterText === undefined ? undefined : (JSON.parse(filterText) as object) };
  // By what they say, not by which objects they are: components make topics and options anew each time.
  const store = useMemo(() => new TopicStore<Definition>(hub, topic, options), [hub, name, from, filterText, keep]);
  return useSyncExternalStore(store.subscribe, store.read, store.read);
}

/** Who is here. With `data` given the component's user is, too, for as long as the component is shown. */
export function usePresence(
  topic: string | { readonly name: string },
  own?: { readonly data: unknown } | null,
): PresenceView {
  const hub = useHub();
  const name = nameOf(topic);
  const store = useMemo(() => new PresenceStore(hub, name), [hub, name]);
  const isPresent = own !== undefined && own !== null;
  const dataText = JSON.stringify(own?.data);
  useEffect(() => {
    if (isPresent) store.enter(dataText === undefined ? null : (JSON.parse(dataText) as unknown));
  }, [store, isPresent, dataText]);
  useEffect(() => (isPresent ? store.leave : undefined), [store, isPresent]);
  return useSyncExternalStore(store.subscribe, store.read, store.read);
}

const nameOf = (topic: string | { readonly name: string }): string => (typeof topic === "string" ? topic : topic.name);

export { TidingsError, type PresenceView, type TopicOptions, type TopicView };
