/** Parsed and frozen options; the raw ones stay inside the module definition. */
export const TASK_QUEUE_OPTIONS = Symbol('@peregrine/task-queue:options');

/** The store's driver, Redis or PostgreSQL. */
export const QUEUE_BACKEND = Symbol('@peregrine/task-queue:backend');

/** Where `@TaskHandler` leaves the definition. */
export const TASK_HANDLER_METADATA = '@peregrine/task-queue:handler';
