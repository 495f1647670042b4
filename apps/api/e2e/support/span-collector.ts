import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** The part of the OpenTelemetry protocol that is looked at: https://github.com/open-telemetry/opentelemetry-proto (v1). */
const PROTOCOL = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; }
message KeyValue { string key = 1; Value value = 2; }
message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  repeated KeyValue attributes = 9; repeated Link links = 13;
}`;
const Request = protobuf.parse(PROTOCOL).root.lookupType('Request');

interface Attribute {
  key: string;
  value: Record<string, string | number | boolean>;
}

/** As `Request` decodes it; bytes as base64. */
interface Decoded {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      scope: { name: string };
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId: string;
        name: string;
        kind: number;
        attributes: Attribute[];
        links: { traceId: string; spanId: string }[];
      }[];
    }[];
  }[];
}

export interface CollectedSpan {
  service: string;
  scope: string;
  name: string;
  traceId: string;
  spanId: string;
  /** Empty for the first of a trace. */
  parentId: string;
  attributes: Record<string, string | number | boolean>;
  /** Spans in other traces. */
  links: { traceId: string; spanId: string }[];
}

/** Takes spans as a collector does: OTLP over HTTP, protobuf. */
export class SpanCollector {
  readonly spans: CollectedSpan[] = [];
  /** All that arrived, undecoded. */
  received = Buffer.alloc(0);
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void buffer(request).then((sent) => {
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
        this.received = Buffer.concat([this.received, body]);
        this.#take(body);
        response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
      });
    });
  }

  static async start(): Promise<SpanCollector> {
    const collector = new SpanCollector();
    collector.#server.listen(0, '127.0.0.1');
    await once(collector.#server, 'listening');
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  ofTrace(traceId: string): CollectedSpan[] {
    return this.spans.filter((it) => it.traceId === traceId);
  }

  /** Parents first. */
  ancestorsOf({ traceId, parentId }: CollectedSpan): CollectedSpan[] {
    const parent = this.spans.find((it) => it.traceId === traceId && it.spanId === parentId);
    return parent ? [...this.ancestorsOf(parent), parent] : [];
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take(body: Buffer): void {
    const decoded = Request.toObject(Request.decode(body), {
      bytes: String,
      longs: Number,
      arrays: true,
      defaults: true,
    }) as Decoded;
    for (const { resource, scopeSpans } of decoded.resourceSpans) {
      const service = String(valuesOf(resource.attributes)['service.name']);
      for (const { scope, spans } of scopeSpans) {
        for (const { attributes, traceId, spanId, parentSpanId, name, links } of spans) {
          this.spans.push({
            ...{ service, scope: scope.name, name },
            ...{ traceId: hex(traceId), spanId: hex(spanId), parentId: hex(parentSpanId) },
            attributes: valuesOf(attributes),
            links: links.map((it) => ({ traceId: hex(it.traceId), spanId: hex(it.spanId) })),
          });
        }
      }
    }
  }
}

function valuesOf(attributes: readonly Attribute[]): CollectedSpan['attributes'] {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] ?? '']));
}

const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
