-- What topics keep that a first publish or subscribe makes: patterns and a retention, as JSON. The first by name decides.
CREATE TABLE topic_policies (
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  PRIMARY KEY (app, name)
) WITHOUT ROWID;
