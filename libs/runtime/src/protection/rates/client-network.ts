import { isIPv4, isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** A household or a machine gets at least a /64, and can use any address of it: RFC 6177. */
const NETWORK_GROUPS = 4;

/**
 * Whom an address stands for: itself in IPv4, its /64 in IPv6. Anything else, such as a path of a socket, as it is.
 *
 * @param address as `request.ip` has it; a zone (`%eth0`) does not count
 */
export function clientNetwork(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const mapped = MAPPED_IPV4.exec(bare)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(bare)) return bare;
  return `${groupsOf(bare).slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** The groups of a valid IPv6 address in their one form: RFC 5952 without its abbreviation. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::', 2);
  const front = groups(head);
  if (tail === undefined) return front;
  const back = groups(tail);
  return [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
}

function groups(part: string): string[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => (group.includes('.') ? ipv4Groups(group) : [canonical(group)]));
}

/** `::1.2.3.4`: the last two groups as four bytes. */
function ipv4Groups(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}

const canonical = (group: string): string => Number.parseInt(group, 16).toString(16);

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/** Whether an address is this machine's own. */
export function isLoopback(address: string | undefined): boolean {
  return LOOPBACK.test(address ?? '');
}
