import { Inject } from '@nestjs/common';

/** Injection token of a namespace that `CacheModule.forFeature` gives. Nest shows its text when it is missing. */
export const getCacheNamespaceToken = (name: string): symbol =>
  Symbol.for(`@peregrine/cache:CacheModule.forFeature('${name}')`);

/** Injects the `CacheNamespace` that `CacheModule.forFeature(name)` gives to the module. */
export const InjectCache = (name: string): PropertyDecorator & ParameterDecorator =>
  Inject(getCacheNamespaceToken(name));
