-- An app's living topics are counted when one more is made; its dead ones, which stay, must not cost that look.
CREATE INDEX topics_living ON topics (app) WHERE deleted_at IS NULL;
