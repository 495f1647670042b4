import { defineSettings, setting } from '../settings/define-settings.js';
import { oneOf, optional, share, url } from '../settings/value-types.js';

/**
 * Traces for OpenTelemetry. The names are the standard's, and what is not here (headers, timeouts, attributes of the
 * resource, limits) the SDK reads itself: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export const tracingSettings = defineSettings('Tracing', {
  endpoint: setting('OTEL_EXPORTER_OTLP_ENDPOINT', optional(url('http', 'https')), {
    description:
      'Where spans go, as OTLP over HTTP (protobuf); /v1/traces is appended. Unset: nothing is traced, nothing is loaded.',
    example: 'http://localhost:4318',
  }),
  tracesEndpoint: setting('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', optional(url('http', 'https')), {
    description: 'The same, with its path; goes before OTEL_EXPORTER_OTLP_ENDPOINT.',
    example: 'http://localhost:4318/v1/traces',
  }),
  sampler: setting(
    'OTEL_TRACES_SAMPLER',
    oneOf([
      'parentbased_traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'traceidratio',
      'always_on',
      'always_off',
    ]),
    {
      description:
        'Which traces are kept. By default those that the caller keeps, and of the others a share.',
      default: 'parentbased_traceidratio',
    },
  ),
  sampledShare: setting('OTEL_TRACES_SAMPLER_ARG', share(), {
    description: 'The share of traces that begin here and are kept: 0 to 1.',
    default: '1',
  }),
});
