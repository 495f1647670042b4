/** A folder with fewer pending paths is not worth a wildcard: that would purge its other files for nothing. */
const LEAST_PATHS = 4;

/** Whether a wildcard (`/a/*`) covers a path. */
export function matchesWildcard(path: string, wildcard: string): boolean {
  return path.startsWith(wildcard.slice(0, -1));
}

/**
 * Makes wildcards of folders until at most `limit` paths are left, or no folder has enough of them: deepest folders
 * first, as they purge the least that was not asked for. Changes both maps; the ids of the paths go to the wildcards.
 *
 * @param paths ids by path
 * @param wildcards ids by wildcard
 */
export function collapsePaths(
  paths: Map<string, string[]>,
  wildcards: Map<string, string[]>,
  limit: number,
): void {
  const deepest = Math.max(0, ...[...paths.keys()].map(depthOf));
  // Not the root: that is everything, which is decided elsewhere.
  for (let depth = deepest; depth >= 1 && paths.size > limit; depth--) {
    const folders = Map.groupBy(paths.keys(), (path) => folderOf(path, depth));
    const full = [...folders].filter(([folder, its]) => folder !== '' && its.length >= LEAST_PATHS);
    for (const [folder, its] of full.sort(([, a], [, b]) => b.length - a.length)) {
      if (paths.size <= limit) break;
      const ids = its.flatMap((path) => paths.get(path) ?? []);
      wildcards.set(`${folder}/*`, [...(wildcards.get(`${folder}/*`) ?? []), ...ids]);
      for (const path of its) paths.delete(path);
    }
  }
}

/** How many folders a path lies in, the root not counted. */
function depthOf(path: string): number {
  return withoutQuery(path).split('/').length - 2;
}

/** The folder of so many segments, without its slash at the end; `''` for a path that does not lie so deep. */
function folderOf(path: string, depth: number): string {
  const segments = withoutQuery(path).split('/');
  return segments.length - 2 < depth ? '' : segments.slice(0, depth + 1).join('/');
}

const withoutQuery = (path: string) => path.split('?', 1)[0] ?? path;
