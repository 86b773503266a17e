-- What the listener "analytics" counts: events by topic and type.
CREATE TABLE analytics_counts (
  app TEXT NOT NULL,
  topic TEXT NOT NULL,
  type TEXT NOT NULL,
  events INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (app, topic, type)
) WITHOUT ROWID;
