-- Deliveries whose effects stand. The key commits in the batch of the effects, so they happen once.
CREATE TABLE listener_effects (
  subscription_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  PRIMARY KEY (subscription_id, delivery_id)
) WITHOUT ROWID;

CREATE INDEX listener_effects_by_age ON listener_effects (applied_at);
