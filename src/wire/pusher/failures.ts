/** The hub's failures in Pusher's numbers, which tell its clients whether and when to come again. */
import { ERRORS, type ErrorCode, type Failure } from "../../core/errors.ts";

/** 4000–4099: give up; 4100–4199: again after a while; 4200–4299: again at once; below: as WebSocket says. */
const CODES: Partial<Record<ErrorCode, number>> = {
  app_not_found: 4001,
  connection_silent: 4201,
  credential_expired: 4100, // Of a secret its key has another; a key that has expired itself is refused at the door.
  frame_too_large: 1009,
  hub_overloaded: 4100,
  internal_error: 4100,
  key_not_found: 4001,
  not_configured: 4100,
  protocol_invalid: 4007,
  quota_exceeded: 4004,
  quota_unavailable: 4100,
  reader_too_slow: 4100,
  too_many_client_events: 4301,
  too_many_failures: 4100,
  too_many_frames: 4100,
};
const UNAUTHORIZED = 4009;

/** Null: Pusher has no number for it. */
export const codeOf = ({ code }: Failure): number | null =>
  CODES[code] ?? (isUnauthorized({ code }) ? UNAUTHORIZED : null);

/** With which code the failure ends a socket. */
export const closeCodeOf = (failure: Failure): number => codeOf(failure) ?? UNAUTHORIZED;

export const isUnauthorized = ({ code }: Failure): boolean =>
  ERRORS[code].status === 401 || ERRORS[code].status === 403;

/** What is said to people; short enough for the reason of a close, which has 123 bytes. */
export const messageOf = ({ code, detail }: Failure): string =>
  detail !== undefined && detail.length <= MESSAGE_CHARS_MAX ? detail : ERRORS[code].says;

const MESSAGE_CHARS_MAX = 120;
