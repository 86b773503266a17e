-- Commands as they were asked for, as JSON. What they have folded of their keys' events stands in the logs.
CREATE TABLE commands (
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  id TEXT NOT NULL,
  -- Grows with each change.
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  PRIMARY KEY (app, name)
) WITHOUT ROWID;
