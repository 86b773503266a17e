/**
 * Work that can wait a moment is done together with what comes meanwhile: in one turn of the object, hence in one
 * commit, so that the disk is waited for once. What cannot wait begins the turn at once.
 */
export interface TurnPorts {
  /** Resolves when work that can wait has waited long enough. */
  pause(): Promise<void>;
  /** Done once for all the work of a turn, behind it. What was done is not answered before. */
  after(): Promise<void>;
}

interface Turn {
  readonly begun: Promise<void>;
  readonly begin: () => void;
  isTimed: boolean;
  ended: Promise<void> | null;
}

export class SharedTurn {
  readonly #ports: TurnPorts;
  /** The turn that is waited for, if any. */
  #next: Turn | null = null;

  constructor(ports: TurnPorts) {
    this.#ports = ports;
  }

  /** Rejects when this work does, or what comes after all of it. */
  async share<Answer>(work: () => Answer, mayWait: boolean): Promise<Answer> {
    const turn = (this.#next ??= openTurn());
    if (mayWait) this.#time(turn);
    else turn.begin();
    await turn.begun;
    if (this.#next === turn) this.#next = null;
    const answer = work();
    // All that waited for the turn have done their work before this is resumed.
    await (turn.ended ??= Promise.resolve().then(() => this.#ports.after()));
    return answer;
  }

  /** What waits, waits no longer. */
  begin(): void {
    this.#next?.begin();
  }

  #time(turn: Turn): void {
    if (turn.isTimed) return;
    turn.isTimed = true;
    void this.#ports.pause().then(turn.begin);
  }
}

function openTurn(): Turn {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  return { begun, begin, isTimed: false, ended: null };
}
