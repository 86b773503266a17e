/** What whoever runs the app signs, as Pusher's libraries do, for one connection. */

/** That a socket may follow a channel, and as whom; or that it is a user. `data` is signed as it came. */
export type SignedAsk =
  | { readonly kind: "channel"; readonly channel: string; readonly data: string | null }
  | { readonly kind: "user"; readonly data: string };
