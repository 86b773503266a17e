-- A deleted topic keeps its row: the next topic of that name must have a greater epoch.
CREATE TABLE topics (
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  -- Grows with each change of the policy, so that a log never takes an older one for newer.
  revision INTEGER NOT NULL,
  partitions INTEGER NOT NULL,
  index_kind TEXT NOT NULL,
  retention TEXT NOT NULL,
  schema_policy TEXT NOT NULL,
  description TEXT,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,
  -- 1 once the logs and the subscriptions know of the row's last change of life; a cron finishes what a crash left at 0.
  settled INTEGER NOT NULL,
  PRIMARY KEY (app, name)
) WITHOUT ROWID;

-- The cron looks every minute, and mostly there is nothing.
CREATE INDEX topics_unsettled ON topics (app) WHERE settled = 0;
