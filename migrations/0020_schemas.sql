-- Contracts of event types. A version never changes and never goes: events name it.
CREATE TABLE schemas (
  app TEXT NOT NULL,
  type TEXT NOT NULL,
  -- From 1, without a gap.
  version INTEGER NOT NULL,
  -- JSON Schema as it was sent, without whitespace between its tokens.
  schema TEXT NOT NULL,
  -- What the version after this one is held to, unless it says otherwise.
  compatibility TEXT NOT NULL,
  -- JSON: how events of the version before become events of this one; null: nobody has said.
  upcast TEXT,
  owner TEXT,
  created_at INTEGER NOT NULL
);

-- Publishing asks an app's types and their newest versions: this index alone answers that.
CREATE UNIQUE INDEX schemas_by_type ON schemas (app, type, version);
