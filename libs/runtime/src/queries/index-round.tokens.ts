/** The settings of the concern "Index advisor". */
export const INDEX_ADVISOR_SETTINGS = Symbol('@peregrine/runtime:index-advisor-settings');
