-- How many revocations an app has, and whether there is one of the same subject.
CREATE INDEX access_changes_by_subject ON access_changes (app, kind, subject);
