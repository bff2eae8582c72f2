import { metrics, type Attributes, type BatchObservableCallback, type ObservableCounter } from '@opentelemetry/api';
import type { Cancel } from '../time/clock.js';

/** Counters that only ever grow, as plain numeric fields: counting costs one addition. */
export type CounterFields<Fields> = { readonly [Name in keyof Fields]: number };

/**
 * Shows counters to OpenTelemetry as `rookery.<feature>.<counter>`, until the returned function is called.
 *
 * They are read only when a metric reader collects; without an OpenTelemetry SDK in the application nothing happens at all. `attributes` must be
 * few and chosen by developers (a connection's or a cache's name): never a key, a user or a payload.
 */
export function publishCounters<Fields extends object>(
  feature: string,
  attributes: Attributes,
  counters: Fields & CounterFields<Fields>,
): Cancel {
  const meter = metrics.getMeter('rookery');
  const instruments = new Map<keyof Fields, ObservableCounter>();
  for (const name of Object.keys(counters) as (keyof Fields & string)[]) {
    instruments.set(name, meter.createObservableCounter(`rookery.${feature}.${toSnakeCase(name)}`));
  }
  const observe: BatchObservableCallback = (result) => {
    for (const [name, instrument] of instruments) result.observe(instrument, counters[name], attributes);
  };
  const observed = [...instruments.values()];
  meter.addBatchObservableCallback(observe, observed);
  return () => meter.removeBatchObservableCallback(observe, observed);
}

/** As OpenTelemetry spells its names: `readsBatched` becomes `reads_batched`. */
function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
