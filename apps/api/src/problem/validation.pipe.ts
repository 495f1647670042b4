import { type ArgumentMetadata, Injectable, StandardSchemaValidationPipe } from '@nestjs/common';
import { ValidationError } from './problem.js';

const PLACES: Readonly<Record<string, string>> = { body: 'body', query: 'query', param: 'path' };

/** Validates each argument that has a schema, and says of every field where it stands and what is wrong. */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    if (!metadata.schema) return value;
    const result = await this.validate<T>(value, metadata.schema);
    if (!result.issues) return result.value;
    const place = [PLACES[metadata.type] ?? metadata.type, ...(metadata.data ? [metadata.data] : [])];
    throw new ValidationError(
      result.issues.map((issue) => ({
        field: [
          ...place,
          ...(issue.path ?? []).map((it) => String(typeof it === 'object' ? it.key : it)),
        ].join('.'),
        message: issue.message,
      })),
    );
  }
}
