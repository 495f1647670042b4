import { describe, expect, it } from '@jest/globals';
import { InvalidEnvironmentError } from '../config.errors.js';
import { loadSettings } from '../settings/load-settings.js';
import { indexAdvisorSettings } from './index-advisor.settings.js';

const load = (environment: Record<string, string>) =>
  loadSettings({ indexAdvisor: indexAdvisorSettings }, environment).indexAdvisor;

describe('the settings of the index advisor', () => {
  it('take several hours, across midnight, and any place', () => {
    expect(
      load({
        INDEX_ADVISOR_MODE: 'apply',
        INDEX_ADVISOR_BUILD_HOURS: '22:00-04:30, 12:00-13:00,20:00-24:00',
        INDEX_ADVISOR_TIME_ZONE: 'Europe/Berlin',
        INDEX_ADVISOR_SCHEDULE: '*/10 * * * * *',
      }),
    ).toMatchObject({
      mode: 'apply',
      buildHours: ['22:00-04:30', '12:00-13:00', '20:00-24:00'],
      timeZone: 'Europe/Berlin',
      schedule: '*/10 * * * * *',
    });
  });

  it.each([
    ['INDEX_ADVISOR_MODE', 'on'],
    ['INDEX_ADVISOR_SCHEDULE', '* * * *'],
    ['INDEX_ADVISOR_INDEXES_PER_DAY', '-1'],
    ['INDEX_ADVISOR_MB_PER_DAY', '1.5'],
    ['INDEX_ADVISOR_BUILD_HOURS', '22-4'],
    ['INDEX_ADVISOR_BUILD_HOURS', '24:00-02:00'],
    ['INDEX_ADVISOR_TIME_ZONE', 'Europe/Nowhere'],
    ['INDEX_ADVISOR_UNUSED_AFTER_DAYS', '0'],
  ])('refuse %s=%s, by name', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(InvalidEnvironmentError);
    expect(() => load({ [name]: value })).toThrow(name);
  });
});
