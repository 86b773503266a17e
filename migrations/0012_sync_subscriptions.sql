-- Each isolate asks now and then which subscriptions a publish waits for; mostly there are none, and nothing is read.
CREATE INDEX subscriptions_sync ON subscriptions (app) WHERE json_extract(definition, '$.mode') = 'sync';
