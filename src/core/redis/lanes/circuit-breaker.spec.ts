import { describe, expect, it } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';

describe('CircuitBreaker', () => {
  it('opens at the first deadline that passes in silence', () => {
    const circuit = new CircuitBreaker(20);
    expect(circuit.refuses(50)).toBe(false);
    expect(circuit.missed('silent', 50)).toBe(true);
    expect(circuit.refuses(50)).toBe(true);
  });

  it('opens for a slow server at the limit, and not before', () => {
    const circuit = new CircuitBreaker(3);
    expect([1, 2, 3].map(() => circuit.missed('slow', 50))).toEqual([false, false, true]);
    expect(circuit.refuses(50)).toBe(true);
  });

  it('starts counting anew when a reply comes in time', () => {
    const circuit = new CircuitBreaker(2);
    circuit.missed('slow', 50);
    circuit.succeeded();
    expect(circuit.missed('slow', 50)).toBe(false);
    expect(circuit.missed('slow', 50)).toBe(true);
  });

  it('lets those through who wait longer than the server was waited for', () => {
    const circuit = new CircuitBreaker(20);
    circuit.missed('silent', 50);
    expect([10, 50, 51, 1_000].map((deadlineMs) => circuit.refuses(deadlineMs))).toEqual([true, true, false, false]);
    expect(circuit.missed('silent', 1_000)).toBe(true);
    expect(circuit.refuses(1_000)).toBe(true);
    expect(circuit.missedMs).toBe(1_000);
  });

  it('says once that it opened, whoever else was waiting', () => {
    const circuit = new CircuitBreaker(20);
    circuit.missed('silent', 50);
    expect(circuit.missed('silent', 50)).toBe(false);
    expect(circuit.missed('silent', 20)).toBe(false);
    expect(circuit.missedMs).toBe(50);
  });

  it('forgets everything when it closes', () => {
    const circuit = new CircuitBreaker(2);
    circuit.missed('silent', 50);
    circuit.close();
    expect(circuit.missedMs).toBe(0);
    expect(circuit.refuses(1)).toBe(false);
    expect(circuit.missed('slow', 50)).toBe(false);
  });
});
