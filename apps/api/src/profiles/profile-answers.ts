import { type Profile } from '@peregrine/metrics';
import { type ProfileAnswer } from './profile.schemas.js';

/** What the audit trail calls the taking of a profile; it is no task of the queue. */
export const PROFILE_TASK = 'profile';

export function profileUrl(id: string): string {
  return `/api/v1/admin/profiles/${encodeURIComponent(id)}`;
}

export function describeProfile({ startedAt, ...profile }: Profile): ProfileAnswer {
  const url = profileUrl(profile.id);
  const contentUrl = profile.state === 'done' ? `${url}/content` : null;
  return { ...profile, startedAt: startedAt.toISOString(), url, contentUrl };
}
