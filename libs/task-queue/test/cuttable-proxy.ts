export { CuttableProxy } from '../src/testing/index.js';
