/** The parsed, frozen `DatabaseOptions`. */
export const DATABASE_OPTIONS = Symbol('@peregrine/database:options');
