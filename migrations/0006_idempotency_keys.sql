-- A request with an Idempotency-Key: claimed before its work, completed after it.
CREATE TABLE idempotency_keys (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  -- SHA-256 of the raw body.
  fingerprint TEXT NOT NULL,
  state TEXT NOT NULL,
  -- Fences the completion: a claim that was taken over has another token.
  token TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  status INTEGER,
  response TEXT,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
