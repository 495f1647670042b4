/** What the library's connections are called in the server's list. */
export const APPLICATION_NAME = 'bench-retrieval';
