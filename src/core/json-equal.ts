/** Whether two parsed JSON values are the same; the order of members means nothing. What is undefined is not there. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [leftNames, rightNames] = [Object.keys(left), Object.keys(right)];
  return (
    leftNames.length === rightNames.length &&
    leftNames.every(
      (name) =>
        Object.hasOwn(right, name) &&
        sameJson((left as Record<string, unknown>)[name], (right as Record<string, unknown>)[name]),
    )
  );
}
