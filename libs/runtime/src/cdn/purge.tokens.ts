/** One `PurgeDelivery` for each provider of the settings. */
export const PURGE_DELIVERIES = Symbol('@peregrine/runtime:purge-deliveries');
