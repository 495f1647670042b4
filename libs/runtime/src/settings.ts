import { type allSettings, type SettingsOf } from '@peregrine/config';

/** Every setting of the environment, validated. */
export type Settings = SettingsOf<typeof allSettings>;
