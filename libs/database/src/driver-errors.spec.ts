import { QueryFailedError } from 'typeorm';

import { ConnectionLostError } from './database.errors.js';
import { driverMessage, isForeignKeyViolation, isUnavailable, isUniqueViolation } from './driver-errors.js';

const driverError = (fields: object, message = 'no') => Object.assign(new Error(message), fields);
const queryError = (fields: object, message?: string) =>
  new QueryFailedError('SELECT 1', [], driverError(fields, message));

describe('the tests for errors', () => {
  it('find a violation inside TypeORM’s error, of any or of one constraint', () => {
    const error = queryError({ code: '23505', constraint: 'files_path_key' });
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'files_path_key')).toBe(true);
    expect(isUniqueViolation(error, 'other_key')).toBe(false);
    expect(isForeignKeyViolation(error)).toBe(false);
    expect(isForeignKeyViolation(driverError({ code: '23503' }))).toBe(true);
    expect(isForeignKeyViolation(driverError({ code: '23001' }))).toBe(true);
  });

  it.each([
    [driverError({ code: 'ECONNREFUSED' })],
    [queryError({ code: '57P01' })],
    [queryError({ code: '08006' })],
    [queryError({ code: '57014' })],
    [queryError({}, 'Connection terminated unexpectedly')],
    [driverError({}, 'timeout exceeded when trying to connect')],
    [new AggregateError([driverError({ code: 'ECONNREFUSED' })])],
    [new ConnectionLostError()],
    [driverError({ code: 'POOL_ACQUIRE_TIMEOUT' })],
    [driverError({ code: 'POOL_EXHAUSTED' })],
    [new Error('wrapped', { cause: driverError({ code: 'ECONNRESET' }) })],
  ])('take %s for a database that is away', (error) => {
    expect(isUnavailable(error)).toBe(true);
  });

  it.each([
    [queryError({ code: '23505' })],
    [queryError({ code: '42P01' })],
    [new Error('no')],
    ['text'],
    [null],
  ])('do not take %s for a database that is away', (error) => {
    expect(isUnavailable(error)).toBe(false);
  });

  it('end on an error that causes itself', () => {
    const error = new Error('round');
    error.cause = error;
    expect(isUnavailable(error)).toBe(false);
  });

  it('find the words of the driver, or its code when there are none', () => {
    expect(driverMessage(new Error('outer', { cause: new Error('inner') }))).toBe('inner');
    expect(driverMessage(new AggregateError([driverError({ code: 'ECONNREFUSED' }, '')]))).toBe(
      'ECONNREFUSED',
    );
    expect(driverMessage('text')).toBe('text');
  });
});
