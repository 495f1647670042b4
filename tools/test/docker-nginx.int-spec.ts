import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { configurationOf } from '../src/cdn/print-nginx.ts';
import { type NginxDirective, parseNginxConfig } from './nginx-config-parser.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const config = parseNginxConfig(read('docker/nginx.conf'));

const find = (
  block: readonly NginxDirective[] | undefined,
  name: string,
  ...args: string[]
): NginxDirective[] =>
  (block ?? []).filter((it) => it.name === name && args.every((arg, i) => it.args[i] === arg));

/** The only directive of that name; its block or its arguments. */
const only = (
  block: readonly NginxDirective[] | undefined,
  name: string,
  ...args: string[]
): NginxDirective => {
  const found = find(block, name, ...args);
  expect(found).toHaveLength(1);
  return found[0] as NginxDirective;
};

const everything = (block: readonly NginxDirective[]): NginxDirective[] =>
  block.flatMap((it) => [it, ...everything(it.block ?? [])]);

const http = only(config, 'http').block;
const server = only(http, 'server').block;
const root = only(server, 'location', '/').block;

// The same generator is run with a real nginx in libs/cdn; this looks at what compose.yaml needs of it.
describe('docker/nginx.conf', () => {
  it('is refused by the reader when a brace, a quote or a semicolon is missing', () => {
    for (const broken of ['a { b;', 'a b', 'a "b;', 'a;}', '{ a; }', ';']) {
      expect(() => parseNginxConfig(broken)).toThrow();
    }
  });

  it('is what the generator makes', async () => {
    expect(read('docker/nginx.conf')).toBe(await configurationOf({ proxy: true, 'cache-size': '64m' }));
  });

  it('passes to the api on connections that stay open', () => {
    const upstream = only(http, 'upstream', 'api').block;
    expect(only(upstream, 'server').args[0]).toBe('api:3000');
    expect(Number(only(upstream, 'keepalive').args[0])).toBeGreaterThan(0);
    expect(only(root, 'proxy_pass').args).toEqual(['http://api']);
    expect(only(server, 'proxy_http_version').args).toEqual(['1.1']);
    expect(only(server, 'proxy_set_header', 'Connection').args).toEqual(['Connection', '']);
  });

  it('streams uploads and downloads, and compresses nothing', () => {
    expect(only(server, 'proxy_request_buffering').args).toEqual(['off']);
    expect(only(server, 'proxy_max_temp_file_size').args).toEqual(['0']);
    expect(only(http, 'client_max_body_size').args).toEqual(['2g']);
    expect(only(http, 'gzip').args).toEqual(['off']);
  });

  it('hands the streams of the console on as they come, each to its own client', () => {
    const streams = only(server, 'location', '^~', '/console/api/').block;
    expect(only(streams, 'proxy_pass').args).toEqual(['http://api']);
    expect(only(streams, 'proxy_cache').args).toEqual(['off']);
    expect(only(streams, 'proxy_buffering').args).toEqual(['off']);
  });

  it('passes a request id on, and trusts no address that a client claims', () => {
    expect(only(server, 'proxy_set_header', 'X-Request-Id').args[1]).toBe('$forwarded_request_id');
    expect(only(server, 'proxy_set_header', 'X-Forwarded-For').args[1]).toBe('$remote_addr');
    const map = only(http, 'map', '$http_x_request_id', '$forwarded_request_id').block;
    const [pattern] = (map ?? []).filter((it) => it.name.startsWith('"') || it.name.startsWith('~'));
    expect(pattern?.name).toBe('~^[A-Za-z0-9._-]{8,128}$');
    expect(only(map, 'default').args).toEqual(['$request_id']);
  });

  it('adds no header that the api sets too, and keeps the figures inside', () => {
    const added = everything(config).filter((it) => it.name === 'add_header');
    expect(added.map((it) => it.args[0])).toEqual(['Cache-Status', 'X-Accel-Expires', 'Retry-After']);
    expect(only(server, 'location', '^~', '/metrics').block).toEqual([{ name: 'return', args: ['404'] }]);
  });

  it('writes below /tmp only and listens where compose.yaml publishes it', () => {
    const paths = everything(config).filter(
      (it) => it.name === 'pid' || /_(?:temp|cache)_path$/.test(it.name),
    );
    expect(paths).toHaveLength(7);
    for (const { args } of paths) expect(args[0]).toMatch(/^\/tmp\//);
    const { services } = parse(read('docker/compose.yaml'), { merge: true }) as {
      services: { nginx: { ports: string[] } };
    };
    expect(services.nginx.ports[0]?.split(':').at(-1)).toBe(only(server, 'listen').args[0]);
  });
});
