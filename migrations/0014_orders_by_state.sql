-- What the listener "orders-by-state" makes of a log of orders. Each subscription folds the log into a generation of its
-- own; of an app's generations one is read.
CREATE TABLE order_generations (
  generation INTEGER PRIMARY KEY AUTOINCREMENT,
  app TEXT NOT NULL,
  subscription_id TEXT NOT NULL UNIQUE,
  events INTEGER NOT NULL
);

CREATE INDEX order_generations_by_app ON order_generations (app, generation);

CREATE TABLE orders_by_state (
  generation INTEGER NOT NULL,
  order_id TEXT NOT NULL,
  state TEXT NOT NULL,
  log_offset INTEGER NOT NULL,
  PRIMARY KEY (generation, order_id)
) WITHOUT ROWID;

CREATE TABLE orders_by_state_live (
  app TEXT PRIMARY KEY,
  generation INTEGER NOT NULL
) WITHOUT ROWID;
