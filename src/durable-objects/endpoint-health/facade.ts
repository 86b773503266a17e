/** The typed door of `EndpointHealth`, whose library knows no RPC: a call is a request to a small router of its own. */
import type { Breaker, BreakerPolicy, EndpointReport, EndpointVerdict } from "../../core/breaker.ts";

/** `now` in milliseconds since 1970. A rejected promise means that the call may or may not have happened. */
export interface EndpointHealthCalls {
  tell(report: EndpointReport, policy: BreakerPolicy, now: number): Promise<EndpointVerdict>;
  look(now: number): Promise<Breaker>;
  /** Closes the breaker and forgets the failures. */
  mend(): Promise<Breaker>;
}

export const endpointHealthCalls = (stub: Pick<DurableObjectStub, "fetch">): EndpointHealthCalls => ({
  tell: (report, policy, now) => call(stub, "tell", report, policy, now),
  look: (now) => call(stub, "look", now),
  mend: () => call(stub, "mend"),
});

async function call<Answer>(
  stub: Pick<DurableObjectStub, "fetch">,
  method: keyof EndpointHealthCalls,
  ...parameters: readonly unknown[]
): Promise<Answer> {
  const headers = { "do-content": JSON.stringify(parameters) };
  const response = await stub.fetch(`https://endpoint-health/do/call/${method}`, { headers });
  const body = await response.text();
  if (!response.ok) throw new Error(`the health of an endpoint answered ${response.status}: ${body}`);
  return JSON.parse(body) as Answer;
}
