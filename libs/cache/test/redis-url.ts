/** @throws when the test run has no Redis. */
export function redisUrl(): string {
  const url = process.env['REDIS_URL'];
  if (url === undefined) throw new Error('These tests need Redis: run npm test, or set REDIS_URL');
  return url;
}
