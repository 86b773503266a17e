-- What isolates must know at once: revocations, and keys and apps that changed. Each isolate reads what is newer than
-- the version it has seen.
CREATE TABLE access_changes (
  version INTEGER PRIMARY KEY AUTOINCREMENT,
  app TEXT NOT NULL,
  -- 'key', 'user' and 'token' are revocations; 'changed_key' and 'changed_app' only make caches forget.
  kind TEXT NOT NULL,
  -- The id of the key, user, token or app.
  subject TEXT NOT NULL,
  -- Credentials issued at or before this moment are refused.
  at INTEGER NOT NULL,
  -- By then nothing that it could refuse is good any more.
  expires_at INTEGER NOT NULL,
  -- 1 once the app's hubs know of a revocation, so that none of its sockets is open; a cron tells them what a crash left
  -- at 0.
  settled INTEGER NOT NULL
);

CREATE INDEX access_changes_by_expiry ON access_changes (expires_at);

-- The cron looks every minute, and mostly there is nothing.
CREATE INDEX access_changes_unsettled ON access_changes (version) WHERE settled = 0;
