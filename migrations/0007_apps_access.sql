-- Exact origins (a JSON list) whose pages may use this app; null: not looked at.
ALTER TABLE apps ADD COLUMN origins TEXT;

-- Quotas (core/quotas.ts) as JSON; what is not named has the default of core/limits.ts.
ALTER TABLE apps ADD COLUMN quotas TEXT NOT NULL DEFAULT '{}';

-- A deleted app gives its name free at once (the row takes its own id for a name); the row goes when nothing is left.
ALTER TABLE apps ADD COLUMN deleted_at INTEGER;
