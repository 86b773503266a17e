/** Plain http is for pages on the developer's own machine. */
const ORIGIN = /^(https:\/\/[a-z0-9.-]+|http:\/\/(localhost|127\.0\.0\.1))(:\d{1,5})?$/;

/** Whether a browser could send exactly this text as `Origin` (RFC 6454, §6.2): no path, no star, no default port. */
export const isOrigin = (text: string): boolean =>
  ORIGIN.test(text) && URL.canParse(text) && new URL(text).origin === text;
