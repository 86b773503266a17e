-- A deleted subscription's row goes; its id is never minted again.
CREATE TABLE subscriptions (
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  revision INTEGER NOT NULL,
  -- SubscriptionDefinition (core/subscription.ts) as JSON.
  definition TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- 1 once every matching log knows of this revision; a cron finishes what a crash left at 0.
  settled INTEGER NOT NULL,
  PRIMARY KEY (app, name)
) WITHOUT ROWID;

-- The cron looks every minute, and mostly there is nothing.
CREATE INDEX subscriptions_unsettled ON subscriptions (app) WHERE settled = 0;
