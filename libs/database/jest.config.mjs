import { jestConfig } from '../../jest.config.base.mjs';

export default { ...jestConfig('database'), globalSetup: '<rootDir>/test/build-package.mjs' };
