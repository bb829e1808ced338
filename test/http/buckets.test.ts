import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Buckets } from '../../src/http/buckets.ts';
import { movableClock } from '../support/clock.ts';

test('a bucket holds the burst and refills at the rate', () => {
  const clock = movableClock();
  const buckets = new Buckets({ rate: 5, burst: 10, clock });

  assert.equal(takeAll(buckets, 'alice'), 10);
  clock.advance(199);
  assert.equal(takeAll(buckets, 'alice'), 0);
  clock.advance(1);
  assert.equal(takeAll(buckets, 'alice'), 1);
  clock.advance(60_000);
  assert.equal(takeAll(buckets, 'alice'), 10, 'and never holds more than the burst');
});

test('buckets do not share tokens', () => {
  const buckets = new Buckets({ rate: 5, burst: 10, clock: movableClock() });

  takeAll(buckets, 'alice');

  assert.equal(takeAll(buckets, 'bob'), 10);
});

test('a bucket says when it has a token, and when it is full', () => {
  const buckets = new Buckets({ rate: 0.5, burst: 10, clock: movableClock() });
  assert.deepEqual([buckets.secondsTo(1, 'alice'), buckets.secondsTo(10, 'alice')], [0, 0]);

  takeAll(buckets, 'alice');

  assert.deepEqual([buckets.secondsTo(1, 'alice'), buckets.secondsTo(10, 'alice')].map(Math.round), [2, 20]);
});

test('waiting as long as the bucket says is always enough', () => {
  const rates = fc.double({ min: 0.001, max: 1000, noNaN: true });
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 50 }), (rate, burst) => {
      const clock = movableClock();
      const buckets = new Buckets({ rate, burst, clock });
      takeAll(buckets, 'alice');
      clock.advance(Math.ceil(buckets.secondsTo(1, 'alice') * 1000));
      assert.ok(buckets.take('alice'));
    }),
  );
});

test('never more than burst + rate × time is given out, whatever the pattern of requests', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (waits, rate, burst) => {
      const clock = movableClock();
      const start = clock.now();
      const buckets = new Buckets({ rate, burst, clock });
      let taken = 0;
      for (const ms of waits) {
        clock.advance(ms);
        if (buckets.take('alice')) taken += 1;
      }
      assert.ok(taken <= burst + (rate * (clock.now() - start)) / 1000 + 1e-6);
    }),
  );
});

test('a clock that is set back locks nobody out', () => {
  const clock = movableClock();
  const buckets = new Buckets({ rate: 5, burst: 10, clock });
  takeAll(buckets, 'alice');

  clock.advance(-3_600_000);

  assert.ok(buckets.take('alice'));
});

test('a flood of new keys takes bounded memory and gives no spent bucket its tokens back', () => {
  const buckets = new Buckets({ rate: 0.001, burst: 3, clock: movableClock(), maxBuckets: 100 });
  takeAll(buckets, 'mallory');

  for (let i = 0; i < 10_000; i += 1) buckets.take(`flood ${i}`);

  assert.ok(buckets.size <= 200);
  assert.equal(buckets.take('mallory'), false);
});

test('to have a spent bucket forgotten, somebody must spend a whole table of buckets', () => {
  const buckets = new Buckets({ rate: 0.001, burst: 3, clock: movableClock(), maxBuckets: 100 });
  takeAll(buckets, 'mallory');

  for (let i = 0; i < 99; i += 1) takeAll(buckets, `flood ${i}`);
  const isSpent = !buckets.hasToken('mallory');
  for (let i = 0; i < 100; i += 1) takeAll(buckets, `second flood ${i}`);

  assert.ok(isSpent);
  assert.ok(buckets.hasToken('mallory'));
});

function takeAll(buckets: Buckets, key: string): number {
  let taken = 0;
  while (buckets.take(key)) taken += 1;
  return taken;
}
