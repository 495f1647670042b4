/** The admin key of the settings, or undefined. */
export const BOOTSTRAP_ADMIN_KEY = Symbol('@peregrine/api:bootstrap-admin-key');
