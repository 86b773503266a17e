/**
 * Every error the hub can say, in one table. The HTTP body, the WebSocket error frame and close, docs/errors.md and
 * test/core/errors.test.ts are all read from it; a code written anywhere else is a bug.
 */
import type { QuotaState } from "./quotas.ts";

interface ErrorSpec {
  /** HTTP status. */
  readonly status:
    400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 412 | 413 | 415 | 422 | 424 | 426 | 429 | 431 | 500 | 503 | 507;
  /** Close code when it ends a WebSocket. 4000–4499: reconnect; 4500–4999: do not. */
  readonly close: number;
  /** May the very same request be sent again? */
  readonly retryable: boolean;
  /** `none`: the hub promises that nothing was changed. `unknown`: look, or send again with the same key or ids. */
  readonly effect: "none" | "unknown";
  /** For people; free to change. */
  readonly says: string;
}

// Keep alphabetical; never reuse a code that was once public.
// prettier-ignore
export const ERRORS = {
  app_conflict: { status: 409, close: 4509, retryable: false, effect: "none", says: "There is an app of that name already." },
  app_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The app does not have the required form." },
  app_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such app." },
  app_reserved: { status: 409, close: 4509, retryable: false, effect: "none", says: "The default app stays: the root key works in it where no other is named." },
  batch_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The batch does not have the required form." },
  batch_job_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "The batch has no such job." },
  batch_job_not_started: { status: 409, close: 4009, retryable: true, effect: "none", says: "The job has not been published yet, so nobody can have ended it." },
  batch_job_over: { status: 409, close: 4509, retryable: false, effect: "none", says: "The job has ended otherwise before." },
  batch_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such batch." },
  batch_over: { status: 409, close: 4509, retryable: false, effect: "none", says: "The batch is over, and that cannot be done with it any more." },
  batch_running: { status: 409, close: 4009, retryable: true, effect: "none", says: "The batch is still running." },
  body_incomplete: { status: 400, close: 4022, retryable: true, effect: "none", says: "The body broke off before its end." },
  body_too_large: { status: 413, close: 4513, retryable: false, effect: "none", says: "The body is larger than the limit." },
  client_event_refused: { status: 422, close: 4522, retryable: false, effect: "none", says: "A client event cannot be sent there." },
  command_contended: { status: 409, close: 4009, retryable: true, effect: "none", says: "Others were faster each time; nothing was appended." },
  command_failed: { status: 424, close: 4024, retryable: true, effect: "none", says: "The command's handler failed, and nothing was appended." },
  command_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The command does not have the required form." },
  command_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such command." },
  connection_silent: { status: 410, close: 4410, retryable: true, effect: "none", says: "Nothing was heard of the connection, not even an answer to a ping." },
  content_type_unsupported: { status: 415, close: 4515, retryable: false, effect: "none", says: "The hub does not read that content type or encoding here." },
  credential_expired: { status: 401, close: 4401, retryable: false, effect: "none", says: "The credential has expired; come again with a fresh one." },
  credential_revoked: { status: 401, close: 4501, retryable: false, effect: "none", says: "The credential was revoked." },
  credential_too_large: { status: 431, close: 4500, retryable: false, effect: "none", says: "The credential is longer than the limit." },
  credentials_in_url: { status: 400, close: 4500, retryable: false, effect: "none", says: "Credentials belong in the Authorization header, not in the address." },
  cursor_invalid: { status: 400, close: 4522, retryable: false, effect: "none", says: "That is not a cursor of this hub." },
  dead_letter_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such dead letter." },
  deliveries_owed: { status: 409, close: 4009, retryable: true, effect: "none", says: "In order, a subscription goes back only when it owes nothing." },
  delivery_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "No delivery of that id waits for its next attempt." },
  encoding_invalid: { status: 400, close: 4522, retryable: false, effect: "none", says: "The text is not valid Unicode." },
  event_id_conflict: { status: 409, close: 4509, retryable: false, effect: "none", says: "An event of that source and id is here already with other content." },
  event_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The event does not have the required form." },
  event_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such event." },
  event_too_large: { status: 413, close: 4513, retryable: false, effect: "none", says: "The event is larger than the limit." },
  filter_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The filter is not one that the hub understands." },
  frame_invalid: { status: 400, close: 4522, retryable: false, effect: "none", says: "The frame is not a message of this protocol." },
  frame_too_large: { status: 413, close: 1009, retryable: false, effect: "none", says: "The frame is larger than the limit." },
  handshake_refused: { status: 422, close: 4522, retryable: false, effect: "none", says: "The endpoint did not consent to deliveries from this hub." },
  hub_overloaded: { status: 503, close: 4003, retryable: true, effect: "unknown", says: "The hub has more work than it can take just now." },
  idempotency_in_progress: { status: 409, close: 4009, retryable: true, effect: "unknown", says: "The first request with that key is still under way." },
  idempotency_key_invalid: { status: 400, close: 4500, retryable: false, effect: "none", says: "An Idempotency-Key is 1 to 255 printable ASCII characters." },
  idempotency_key_reused: { status: 422, close: 4522, retryable: false, effect: "none", says: "That Idempotency-Key came before with another body." },
  idempotency_not_replayable: { status: 409, close: 4509, retryable: false, effect: "none", says: "The first answer to that key held a secret and was not kept." },
  index_required: { status: 422, close: 4522, retryable: false, effect: "none", says: "The topic was made without the index that this needs." },
  internal_error: { status: 500, close: 4000, retryable: true, effect: "unknown", says: "The hub made a mistake." },
  job_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such job." },
  json_invalid: { status: 400, close: 4522, retryable: false, effect: "none", says: "The text is not valid JSON." },
  json_too_deep: { status: 400, close: 4522, retryable: false, effect: "none", says: "The JSON is nested more deeply than the limit." },
  json_too_many_keys: { status: 413, close: 4513, retryable: false, effect: "none", says: "The JSON has more members than the limit." },
  key_history_trimmed: { status: 409, close: 4509, retryable: false, effect: "none", says: "Retention has taken events of the key, so nobody can tell its state." },
  key_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The API key does not have the required form." },
  key_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such API key." },
  lift_unavailable: { status: 422, close: 4522, retryable: false, effect: "none", says: "Events of the type cannot be lifted to that version of its schema." },
  listener_not_found: { status: 422, close: 4522, retryable: false, effect: "none", says: "The hub was built without a listener of that name." },
  member_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such member in the channel." },
  method_not_allowed: { status: 405, close: 4505, retryable: false, effect: "none", says: "That address does not answer to this method." },
  not_acceptable: { status: 406, close: 4506, retryable: false, effect: "none", says: "The hub cannot answer in a form that was asked for." },
  not_configured: { status: 503, close: 4003, retryable: true, effect: "none", says: "The hub is not set up as it must be." },
  origin_not_allowed: { status: 403, close: 4503, retryable: false, effect: "none", says: "Pages of that origin may not use this app." },
  parameter_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "A parameter does not have the required form." },
  partition_required: { status: 422, close: 4522, retryable: false, effect: "none", says: "The topic has several partitions: name one." },
  policy_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The policy does not have the required form." },
  policy_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such policy." },
  presence_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "What a member shows does not have the required form." },
  presence_not_entered: { status: 409, close: 4509, retryable: false, effect: "none", says: "The connection is not a member of that channel." },
  presence_not_offered: { status: 422, close: 4522, retryable: false, effect: "none", says: "Only channels whose names begin with presence- have members." },
  presence_user_missing: { status: 403, close: 4503, retryable: false, effect: "none", says: "Only a user can be present, and the credential names none." },
  protocol_invalid: { status: 400, close: 4500, retryable: false, effect: "none", says: "The hub speaks the subprotocol tidings.v1 here." },
  quota_exceeded: { status: 429, close: 4029, retryable: true, effect: "none", says: "The app or the key has used up what it may have." },
  quota_unavailable: { status: 503, close: 4003, retryable: true, effect: "none", says: "The hub cannot tell just now whether the quota allows that." },
  reader_too_slow: { status: 429, close: 4008, retryable: true, effect: "none", says: "The reader stayed too far behind; resume from its cursor." },
  replay_under_way: { status: 409, close: 4009, retryable: true, effect: "none", says: "Some of these events are being replayed already, or are still owed from a replay." },
  replay_unknown: { status: 409, close: 4509, retryable: false, effect: "none", says: "What was missed so far back was not written down: begin later, or replay with force." },
  revocation_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The revocation does not have the required form." },
  route_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "Nothing answers at that address." },
  schedule_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The schedule does not have the required form." },
  schedule_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such schedule." },
  schema_incompatible: { status: 409, close: 4509, retryable: false, effect: "none", says: "The schema would break who reads or writes by another version of it." },
  schema_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The schema is not one that the hub can check events by." },
  schema_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such schema." },
  schema_violation: { status: 422, close: 4522, retryable: false, effect: "none", says: "The event does not keep to the schema of its type." },
  scope_missing: { status: 403, close: 4503, retryable: false, effect: "none", says: "The credential does not allow that." },
  secret_not_held: { status: 409, close: 4509, retryable: false, effect: "none", says: "That subscription's deliveries are not signed: only a webhook has a secret." },
  signature_invalid: { status: 401, close: 4501, retryable: false, effect: "none", says: "That is not signed as it must be." },
  subscription_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The subscription does not have the required form." },
  subscription_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such subscription." },
  subscription_not_pulled: { status: 409, close: 4509, retryable: false, effect: "none", says: "That subscription's target is not of the kind pull: the hub delivers it." },
  target_address_refused: { status: 422, close: 4522, retryable: false, effect: "none", says: "The hub does not deliver to that address." },
  token_invalid: { status: 401, close: 4501, retryable: false, effect: "none", says: "The token is not one that the hub accepts." },
  token_key_not_held: { status: 409, close: 4509, retryable: false, effect: "none", says: "The owner of that key signs its tokens; the hub cannot." },
  too_many_channels: { status: 429, close: 4029, retryable: false, effect: "none", says: "The connection follows as many topics as it may." },
  too_many_client_events: { status: 429, close: 4029, retryable: true, effect: "none", says: "The connection has sent as many client events as it may for now." },
  too_many_failures: { status: 429, close: 4029, retryable: true, effect: "none", says: "Too many credentials from that address were not known." },
  too_many_frames: { status: 429, close: 4029, retryable: true, effect: "unknown", says: "The connection has sent more frames than wait for their work." },
  too_many_jobs: { status: 429, close: 4029, retryable: true, effect: "none", says: "The subscription has as many jobs under way as it may." },
  too_many_members: { status: 429, close: 4029, retryable: true, effect: "none", says: "The channel has as many members as it may." },
  too_many_scheduled: { status: 429, close: 4029, retryable: true, effect: "none", says: "As many events wait for their time in the partition as may." },
  too_many_secrets: { status: 409, close: 4509, retryable: false, effect: "none", says: "As many secrets are good at once as may be; one of them must end first." },
  topic_conflict: { status: 409, close: 4509, retryable: false, effect: "none", says: "Partitions and index of a topic are fixed when it is made." },
  topic_full: { status: 507, close: 4507, retryable: false, effect: "none", says: "The partition holds as much as it can." },
  topic_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "The topic's definition does not have the required form." },
  topic_name_invalid: { status: 422, close: 4522, retryable: false, effect: "none", says: "That is not a name that a topic can have." },
  topic_not_found: { status: 404, close: 4504, retryable: false, effect: "none", says: "There is no such topic." },
  topic_reserved: { status: 403, close: 4503, retryable: false, effect: "none", says: "Topics whose names begin with $ are the hub's own." },
  unauthenticated: { status: 401, close: 4501, retryable: false, effect: "none", says: "The request carries no credential that the hub knows." },
  upgrade_required: { status: 426, close: 4500, retryable: false, effect: "none", says: "This address speaks WebSocket." },
  user_disconnected: { status: 403, close: 4503, retryable: false, effect: "none", says: "The app has ended the connections of this user." },
  version_conflict: { status: 412, close: 4512, retryable: false, effect: "none", says: "The log or the key has moved on since the version named." },
  worker_not_found: { status: 422, close: 4522, retryable: false, effect: "none", says: "The hub was deployed without a binding of that name to a Worker." },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** What crosses a boundary (RPC, queue, HTTP): plain data, never an Error instance. */
export interface Failure {
  readonly code: ErrorCode;
  /** This occurrence, for people. Never holds a secret or another tenant's name. */
  readonly detail?: string;
  /** The limit that was passed, and what was measured, in the same unit. */
  readonly limit?: number;
  readonly actual?: number;
  /** What is wrong where, by JSON Pointer (RFC 6901) into the body. */
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
  /** The quota that was used up, for the RateLimit headers. */
  readonly quota?: QuotaState;
  /** What an event was held against, for operators: no answer shows it. `version` null: it named none that there is. */
  readonly schema?: { readonly type: string; readonly version: number | null };
}

export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}
