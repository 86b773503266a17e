-- Hubs in use. A hub's row stands before its first socket, so whoever reads this table after a change reaches every
-- socket that the change concerns.
CREATE TABLE hubs (
  app TEXT NOT NULL,
  -- What its sockets speak.
  protocol TEXT NOT NULL,
  -- A hint of location, or 'any'.
  region TEXT NOT NULL,
  shard INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (app, protocol, region, shard)
) WITHOUT ROWID;

-- Until now each app had this one, and it may hold sockets.
INSERT INTO hubs (app, protocol, region, shard, made_at) SELECT id, 'native', 'any', 0, created_at FROM apps;
