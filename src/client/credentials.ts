/** The credential that the hub is shown: one for good, or one that is fetched whenever the last has ended. */
import { asError, TidingsError } from "./client-error.ts";

export type GetToken = () => string | Promise<string>;

export class Credentials {
  readonly #get: GetToken;
  /** Whether there can be another one after this. */
  readonly canRenew: boolean;
  #current: Promise<string> | null = null;

  constructor(token: string | undefined, getToken: GetToken | undefined) {
    this.canRenew = getToken !== undefined;
    this.#get = getToken ?? (() => token ?? "");
  }

  /** Callers at the same time share one look-up. Rejects with `token_unavailable`, or as `getToken` did. */
  current(): Promise<string> {
    if (this.#current === null) {
      const asked = this.#ask();
      this.#current = asked;
      asked.catch(() => {
        if (this.#current === asked) this.#current = null;
      });
    }
    return this.#current;
  }

  /** The next `current` is another one. */
  renew(): void {
    if (this.canRenew) this.#current = null;
  }

  async #ask(): Promise<string> {
    try {
      const token = await this.#get();
      if (typeof token === "string" && token !== "") return token;
    } catch (error) {
      throw asError(error, "token_unavailable");
    }
    throw new TidingsError("token_unavailable");
  }
}
