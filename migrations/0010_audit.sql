-- Who changed what, in order. Written in the transaction of the change where that is in D1, else before it.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  app TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- The principal: `root`, `key:<id>`, `user:<key>:<id>`.
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- JSON; null where there was or is nothing.
  before TEXT,
  after TEXT,
  -- The X-Request-Id of the request.
  request TEXT NOT NULL
);

CREATE INDEX audit_by_app ON audit (app, seq);
