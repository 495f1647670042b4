import { lookup } from 'mime-types';

export const UNKNOWN_MEDIA_TYPE = 'application/octet-stream';

/** A type, a subtype and parameters of visible ASCII; RFC 9110 section 8.3.1, less its quoted pairs. */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[^"\\\p{Cc}]*"))*$/u;

/** The type that the sender states, when it is one and says something, else what the name's ending tells. */
export function mediaTypeOf(path: string, stated: string | undefined): string {
  const type = stated?.trim().toLowerCase();
  if (type && type.length <= 200 && MEDIA_TYPE.test(type) && !type.startsWith(UNKNOWN_MEDIA_TYPE))
    return type;
  return lookup(path) || UNKNOWN_MEDIA_TYPE;
}
