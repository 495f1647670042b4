/** Where the console is. */
export const CONSOLE_PATH = '/console';

/** Whether operators may change things. */
export const CONSOLE_ACTIONS_ENABLED = Symbol('@peregrine/api:console-actions-enabled');
