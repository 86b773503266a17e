-- API keys. The key itself is shown once and never kept: what stands here cannot be used to call the hub.
CREATE TABLE api_keys (
  -- The key's public part.
  id TEXT PRIMARY KEY,
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  -- SHA-256 of the secret part, base64url. The secret has 256 random bits, so a fast hash is enough.
  secret_hash TEXT NOT NULL,
  -- After a rotation the secret before is good until then.
  previous_hash TEXT,
  previous_until INTEGER,
  -- Scopes (core/scope.ts) as a JSON list of texts. They never change.
  scopes TEXT NOT NULL,
  -- Quotas (core/quotas.ts) as JSON.
  quotas TEXT NOT NULL,
  -- How tokens of this key are signed: HS256 with a sealed secret, or EdDSA with the owner's public key.
  token_algorithm TEXT NOT NULL,
  token_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  -- Written at most once a minute.
  last_used_at INTEGER
) WITHOUT ROWID;

CREATE INDEX api_keys_by_app ON api_keys (app, id);
