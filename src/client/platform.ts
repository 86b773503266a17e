/** What the client asks of the place where it runs. Browsers, Node and Workers have it all; tests bring their own. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
  // Loose, so that every runtime's own WebSocket fits.
  addEventListener(kind: "message" | "close", listener: (event: any) => void): void;
}

export type SocketClass = new (url: string, subprotocol: string) => Socket;

export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

interface FetchAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** A runtime's longest timer; one that is to wait for longer goes off at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Time and chance. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Calls back once after so many milliseconds, 24 days at most, unless it is cancelled by what this answers. */
  after(ms: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, work) => {
    const timer = setTimeout(work, Math.min(ms, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};

const BACKOFF_MS_BASE = 500;
const BACKOFF_MS_MAX = 30_000;

/**
 * How long to wait before try `tries` (from 0): full jitter, so that clients which lost one hub together do not come
 * back together (Exponential Backoff And Jitter, AWS Architecture Blog).
 */
export const backoffMs = (clock: Clock, tries: number): number =>
  clock.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS_BASE * 2 ** tries);

type Listens = (kind: string, listener: () => void) => void;
interface Target {
  readonly addEventListener?: Listens;
  readonly removeEventListener?: Listens;
}

/** The page is looked at again, thawed, restored or online: all of them ask "is the connection still there?". */
const WAKES = ["online", "pageshow", "focus"];
const DOCUMENT_WAKES = ["visibilitychange", "resume"];

/** Calls back when the page wakes; answers how to stop. Where there is no page it never does. */
export function watchPage(woke: () => void): () => void {
  const page = globalThis as Target & { readonly document?: Target & { readonly hidden?: boolean } };
  const shown = (): void => {
    if (page.document?.hidden !== true) woke();
  };
  const turn = (verb: "addEventListener" | "removeEventListener"): void => {
    for (const kind of WAKES) page[verb]?.(kind, shown);
    for (const kind of DOCUMENT_WAKES) page.document?.[verb]?.(kind, shown);
  };
  turn("addEventListener");
  return () => turn("removeEventListener");
}
