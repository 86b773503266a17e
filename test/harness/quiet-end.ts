/**
 * For tests inside the runtime: what an object prints by a timer, once nothing runs any more, reaches vitest only with
 * the next thing that does, and vitest waits for it before it ends a file. So behind the last test nothing is printed.
 */
import { afterAll } from "vitest";

afterAll(() => {
  console.log = () => undefined;
});
