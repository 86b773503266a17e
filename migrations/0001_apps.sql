-- Apps are tenants. The id is minted, so a new app of an old name never meets the old one's objects.
CREATE TABLE apps (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO apps (id, name, created_at) VALUES ('app_default', 'default', 0);
