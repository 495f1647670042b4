import { type Client } from 'pg';

/** For the server to let go of a connection, milliseconds. A machine that is gone never answers. */
const GRACE_MS = 1_000;

/** pg's own connection object. */
interface Wire {
  readonly connection: { readonly stream: { destroy(): void } };
}

/** Says goodbye, and cuts the wire when that takes too long. Also while the connection is being made. */
export async function hangUp(client: Client): Promise<void> {
  const timer = setTimeout(() => cut(client), GRACE_MS);
  await client.end().catch(() => undefined);
  clearTimeout(timer);
}

/** At once, whatever is under way. */
export function cut(client: Client): void {
  (client as unknown as Wire).connection.stream.destroy();
}
