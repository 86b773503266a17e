/** Refusals as Pusher's clients and libraries understand them: a close code, or a status with the hub's problem. */
import { ERRORS, type Failure } from "../../core/errors.ts";
import { closeCodeOf, messageOf } from "../../wire/pusher/failures.ts";
import { formatError } from "../../wire/pusher/hub-frames.ts";
import { problem } from "../respond.ts";

/** Libraries tell a bad request by 400; the problem says what the hub would have said elsewhere. */
export function refuse(failure: Failure): Response {
  const answer = problem(failure);
  const isBadRequest = BAD_REQUESTS.has(ERRORS[failure.code].status);
  return isBadRequest ? new Response(answer.body, { status: 400, headers: answer.headers }) : answer;
}

const BAD_REQUESTS: ReadonlySet<number> = new Set([409, 415, 422]);

/**
 * A client learns why it is refused only from a socket, so it gets one, and its end. `code` where the failure has
 * another number in this place.
 */
export function refuseSocket(failure: Failure, code: number = closeCodeOf(failure)): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.send(formatError(failure, code));
  server.close(code, messageOf(failure));
  return new Response(null, { status: 101, webSocket: client });
}
