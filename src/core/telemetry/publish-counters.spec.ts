import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from '@jest/globals';
import { publishCounters } from './publish-counters.js';

let stop: () => Promise<void> = () => Promise.resolve();

/** An OpenTelemetry SDK, as an application sets it up before Nest boots. */
function startSdk(): { readonly collect: () => Promise<Record<string, Record<string, number>>> } {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  stop = () => provider.shutdown();
  return {
    collect: async () => {
      exporter.reset();
      await provider.forceFlush();
      const collected = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
      return Object.fromEntries(
        collected.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          Object.fromEntries(dataPoints.map(({ attributes, value }) => [attributes['cache'], value as number])),
        ]),
      );
    },
  };
}

afterEach(async () => {
  await stop();
  stop = () => Promise.resolve();
  metrics.disable();
});

describe('publishCounters', () => {
  it('shows each counter under its name, with its attributes, as it is when it is collected', async () => {
    const sdk = startSdk();
    const counters = { hits: 1, writesLost: 0 };
    publishCounters('cache', { cache: 'products' }, counters);
    counters.hits = 5;
    expect(await sdk.collect()).toEqual({
      'rookery.cache.hits': { products: 5 },
      'rookery.cache.writes_lost': { products: 0 },
    });
  });

  it('keeps counters of the same name apart by their attributes', async () => {
    const sdk = startSdk();
    publishCounters('cache', { cache: 'products' }, { hits: 1 });
    publishCounters('cache', { cache: 'users' }, { hits: 2 });
    expect(await sdk.collect()).toEqual({ 'rookery.cache.hits': { products: 1, users: 2 } });
  });

  it('stops reading a counter once it is cancelled', async () => {
    const sdk = startSdk();
    let read = 0;
    const counters = {
      get hits(): number {
        read += 1;
        return 1;
      },
    };
    const cancel = publishCounters('cache', { cache: 'products' }, counters);
    await sdk.collect();
    expect(read).toBeGreaterThan(0);
    cancel();
    cancel();
    read = 0;
    await sdk.collect();
    expect(read).toBe(0);
  });

  it('does nothing at all without an SDK', () => {
    let read = 0;
    const cancel = publishCounters(
      'cache',
      { cache: 'products' },
      {
        get hits(): number {
          read += 1;
          return 1;
        },
      },
    );
    cancel();
    expect(read).toBe(0);
  });
});
