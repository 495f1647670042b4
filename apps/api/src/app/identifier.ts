import { z } from 'zod';

/** A UUID of a path, in the one form in which rows, cache keys and tags have it: RFC 9562 takes any case on input. */
export const identifier = z.uuid().toLowerCase();
