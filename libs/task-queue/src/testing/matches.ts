/**
 * Whether a payload has everything that is expected: objects may have more, lists must be equal in length, matchers of
 * Jest and Vitest are asked.
 *
 * @param actual as JSON gives it
 */
export function matches(actual: unknown, expected: unknown): boolean {
  if (isMatcher(expected)) return expected.asymmetricMatch(actual);
  if (expected instanceof Date) return actual === expected.toISOString();
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected);
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((it, index) => matches(actual[index], it))
    );
  }
  return Object.entries(expected).every(
    ([key, value]) => value === undefined || matches((actual as Record<string, unknown>)[key], value),
  );
}

function isMatcher(value: unknown): value is { asymmetricMatch(actual: unknown): boolean } {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}
