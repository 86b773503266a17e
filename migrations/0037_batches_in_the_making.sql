-- Batches whose object has not said that it stands; those that never will are found by their age.
CREATE INDEX batches_in_the_making ON batches (created_at) WHERE state = 'making';
