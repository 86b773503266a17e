/** `npm run docs`: writes the reference pages again. A test compares them with the code. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiReference, errorsReference, limitsReference, metricsReference } from "./lib/references.ts";

const docs = join(import.meta.dirname, "..", "docs");
writeFileSync(join(docs, "api.md"), apiReference());
writeFileSync(join(docs, "errors.md"), errorsReference());
writeFileSync(join(docs, "limits.md"), limitsReference());
writeFileSync(join(docs, "operations", "metrics.md"), metricsReference());
