-- What listeners keep for a while. Written in the batch of a delivery's key, so a put or a purge happens once.
CREATE TABLE listener_cache (
  app TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (app, key)
) WITHOUT ROWID;

CREATE INDEX listener_cache_by_end ON listener_cache (expires_at);
