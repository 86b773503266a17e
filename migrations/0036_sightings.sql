-- What isolates have noticed of who publishes and who reads: a row is written when it is new to one of them, and again
-- once an hour at most. No event waits for it, and nothing but the catalog asks it.
CREATE TABLE sightings (
  app TEXT NOT NULL,
  -- 'producer' of events of a type, or 'reader' of a topic, whose type is empty.
  role TEXT NOT NULL,
  type TEXT NOT NULL,
  topic TEXT NOT NULL,
  -- A producer's source; a reader's key, and how it reads.
  who TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (app, role, type, topic, who)
) WITHOUT ROWID;

CREATE INDEX sightings_by_age ON sightings (last_at);
