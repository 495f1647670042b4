import { describe, expect, it } from '@jest/globals';
import { ruleFor } from './route-rules.js';

const FILES = '/api/v1/workspaces/:workspaceId/files';

describe('the rule of a route', () => {
  it.each([
    ['GET', FILES, { cost: 1, priority: 'read', isExempt: false }],
    ['HEAD', '/api/v1/workspaces/:workspaceId/search', { cost: 2, priority: 'read' }],
    ['POST', '/api/v1/workspaces', { cost: 1, priority: 'write' }],
    ['PUT', `${FILES}/*`, { cost: 5, priority: 'upload' }],
    ['POST', FILES, { cost: 10, priority: 'upload' }],
    ['GET', '/api/v1/meta/cache-stats', { priority: undefined, isExempt: false }],
    ['DELETE', '/api/v1/tasks/:taskId', { priority: undefined }],
    ['GET', '/api/v1/tasksy', { priority: 'read' }],
    ['GET', '/console/api/stream', { priority: undefined, isLogin: false }],
    ['POST', '/console/api/session', { priority: undefined, isLogin: true }],
    ['GET', '/health/ready', { isExempt: true }],
    ['GET', '/metrics', { isExempt: true }],
    ['GET', undefined, { kind: 'unmatched', cost: 1, priority: 'read', isExempt: false }],
  ])('%s %s', (method, url, expected) => {
    expect(ruleFor(method, url)).toMatchObject(expected);
  });
});
