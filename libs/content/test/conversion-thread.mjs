// The program of a conversion thread, from the sources: they name each other as they will be built, Node runs them as they are.
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    next(
      specifier.startsWith('.') && context.parentURL?.endsWith('.ts')
        ? specifier.replace(/\.js$/, '.ts')
        : specifier,
      context,
    ),
});

await import('../src/conversion/pool/conversion-worker.ts');
