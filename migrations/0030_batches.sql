-- Batches of jobs as they were asked for; what became of them stands in the object of each. A row goes with its batch.
CREATE TABLE batches (
  app TEXT NOT NULL,
  -- Begins with the time of its making, so ids are in its order.
  id TEXT NOT NULL,
  name TEXT,
  topic TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- The scoped Idempotency-Key of the request that made it; null: it had none.
  request TEXT,
  PRIMARY KEY (app, id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX batches_by_request ON batches (app, request) WHERE request IS NOT NULL;
