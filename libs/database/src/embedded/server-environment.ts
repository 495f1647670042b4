/** Our environment without what would steer PostgreSQL (PGDATA, PGPORT, locales): the options alone do that. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG|NODE_)/.test(name));
  return { ...Object.fromEntries(own), LC_ALL: 'C' };
}
