-- Keys that Pusher's clients and server libraries may use: the sealed secret that signs for them, and the one before it
-- until `previous_until`. Null: not such a key, or never rotated.
ALTER TABLE api_keys ADD COLUMN pusher_secret TEXT;
ALTER TABLE api_keys ADD COLUMN previous_pusher_secret TEXT;
