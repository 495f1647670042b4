/** By the bytes of UTF-8, as PostgreSQL's "C" collation and S3 order names. */
export function comparePaths(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

type Merged<T> = { path: string } & { [K in keyof T]?: T[K] };

/**
 * Walks over several lists at once, each in the order of {@link comparePaths} and without a path twice: one item a path,
 * with what each list has of it. Holds one item of each.
 */
export async function* mergeByPath<T extends Record<string, { path: string }>>(lists: {
  [K in keyof T]: AsyncIterable<T[K]>;
}): AsyncGenerator<Merged<T>> {
  const iterators = Object.entries(lists).map(([name, list]) => ({
    name,
    iterator: (list as AsyncIterable<{ path: string }>)[Symbol.asyncIterator](),
    head: undefined as { path: string } | undefined,
  }));
  try {
    for (const it of iterators) it.head = await headOf(it.iterator);
    for (;;) {
      const path = iterators.reduce<string | undefined>(
        (least, { head }) =>
          head && (least === undefined || comparePaths(head.path, least) < 0) ? head.path : least,
        undefined,
      );
      if (path === undefined) return;
      const merged: Record<string, unknown> = { path };
      for (const it of iterators) {
        if (it.head?.path !== path) continue;
        merged[it.name] = it.head;
        it.head = await headOf(it.iterator);
      }
      yield merged as Merged<T>;
    }
  } finally {
    for (const { iterator } of iterators) await iterator.return?.();
  }
}

async function headOf<T>(iterator: AsyncIterator<T>): Promise<T | undefined> {
  const step = await iterator.next();
  return step.done ? undefined : step.value;
}
