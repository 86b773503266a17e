/** Names of apps, topics and subscriptions, and the patterns that select topics. */
import { LIMITS } from "./limits.ts";

const TOPIC_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._:@=,;-]{0,199}$/;
const SYSTEM_TOPIC_NAME = /^\$[a-zA-Z0-9._:@=,;-]{1,199}$/;
const SCHEMA_TYPE = /^[^\s~][^\s]{0,199}$/u;
const SUBSCRIPTION_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/;
const CONSUMER_BINDING = /^CONSUMER_[A-Z0-9_]{1,80}$/;
const APP_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const PATTERN_WORD = /^[a-zA-Z0-9_:@=,;-]*\*?$/;

/** No `_`: an app's id has one, so the two never meet in the column of names. */
export const isAppName = (name: string): boolean => APP_NAME.test(name);

export const isTopicName = (name: string): boolean => TOPIC_NAME.test(name);

/** Names beginning with `$` are the hub's own: readable with the scope, never publishable. */
export const isSystemTopicName = (name: string): boolean => SYSTEM_TOPIC_NAME.test(name);

/** Types of events that can have a schema: no blanks, because lists of them are paged as those of topics are. */
export const isSchemaType = (type: string): boolean => SCHEMA_TYPE.test(type);

export const isSubscriptionName = (name: string): boolean => SUBSCRIPTION_NAME.test(name);

/**
 * Bindings that subscriptions may name. The prefix is a wall: whoever may define a subscription must not reach the
 * hub's own database, queues or objects by their names.
 */
export const isConsumerBinding = (name: string): boolean => CONSUMER_BINDING.test(name);

/**
 * `*` stands for one dotted word, `presence-*` for a word that begins so, a final `**` for any rest of at least one
 * word.
 */
export function isTopicPattern(pattern: string): boolean {
  const name = withoutDollar(pattern);
  if (name === "" || pattern.length > LIMITS.TOPIC_NAME_CHARS_MAX) return false;
  const words = name.split(".");
  return words.every((word, index) => (word === "**" && index === words.length - 1) || isPatternWord(word));
}

// A name may hold empty words ("a..b"), so a literal pattern may as well; only the stars are special.
const isPatternWord = (word: string): boolean => word === "" || PATTERN_WORD.test(word);

/** The hub's own topics are matched only by patterns that begin with `$` themselves. */
export function matchesTopicPattern(pattern: string, topic: string): boolean {
  if (topic.startsWith("$") !== pattern.startsWith("$")) return false;
  const patternWords = withoutDollar(pattern).split(".");
  const topicWords = withoutDollar(topic).split(".");
  for (const [index, word] of patternWords.entries()) {
    if (word === "**") return topicWords.length > index;
    const given = topicWords[index];
    if (given === undefined || !matchesWord(word, given)) return false;
  }
  return topicWords.length === patternWords.length;
}

/**
 * Whether every topic that `narrow` can match is matched by `wide` as well. Patterns are matched word by word, so a
 * word covers another when it matches that word's own text, stars included.
 */
export function coversTopicPattern(wide: string, narrow: string): boolean {
  if (wide.startsWith("$") !== narrow.startsWith("$")) return false;
  const wideWords = withoutDollar(wide).split(".");
  const narrowWords = withoutDollar(narrow).split(".");
  for (const [index, word] of wideWords.entries()) {
    if (word === "**") return narrowWords.length > index;
    const given = narrowWords[index];
    if (given === undefined || given === "**" || !matchesWord(word, given)) return false;
  }
  return narrowWords.length === wideWords.length;
}

const matchesWord = (pattern: string, word: string): boolean =>
  pattern.endsWith("*") ? word.startsWith(pattern.slice(0, -1)) : pattern === word;

const withoutDollar = (name: string): string => (name.startsWith("$") ? name.slice(1) : name);
