/** The methods that routes answer to, for a wrong method and for a page that asks before it sends. */
interface Route {
  /** "ALL": middleware. */
  readonly method: string;
  readonly path: string;
}

/** Empty where no route has that path. Hono answers HEAD with what GET would, without the body. */
export function methodsOf(routes: readonly Route[], path: string): string[] {
  const methods = new Set(
    routes.filter((route) => route.method !== "ALL" && matchesPath(route.path, path)).map(({ method }) => method),
  );
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods];
}

function matchesPath(pattern: string, path: string): boolean {
  const expected = pattern.split("/");
  const given = path.split("/");
  return (
    expected.length === given.length &&
    expected.every((word, index) => (word.startsWith(":") ? given[index] !== "" : word === given[index]))
  );
}
