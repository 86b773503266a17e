/** The hub beside its yardsticks: what `npm run bench` takes. */
import type { Measure } from "./compare.ts";
import { appendMany, appendManyKeyed, appendManyNamed, appendOne } from "./measures/append.ts";
import { depth } from "./measures/depth.ts";
import { fanOut, fanOutTree, stalledReaders } from "./measures/fan-out.ts";
import {
  authentication,
  contracts,
  publishMany,
  publishManyAgainstTable,
  publishManyNamed,
  publishOne,
  publishOneAgainstTable,
} from "./measures/publish.ts";
import { read, readAgainstTable, readObject } from "./measures/read.ts";
import { rows } from "./measures/rows.ts";
import { webhook, webhookAgainstSigned, webhookAgainstSix, webhookBatch, webhookRows } from "./measures/webhook.ts";
import type { Sizes } from "./sizes.ts";

export const hubMeasures = (sizes: Sizes): readonly Measure[] => [
  publishOne,
  publishOneAgainstTable,
  publishMany,
  publishManyAgainstTable,
  publishManyNamed,
  appendOne,
  appendMany,
  appendManyKeyed,
  appendManyNamed,
  authentication,
  contracts,
  fanOut(100),
  fanOut(1_000),
  fanOutTree(1_000),
  stalledReaders(200),
  read,
  readAgainstTable,
  readObject,
  webhook,
  webhookAgainstSigned,
  webhookAgainstSix,
  webhookBatch,
  webhookRows,
  depth(sizes),
  rows,
];
