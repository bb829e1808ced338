import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import mongoose from 'mongoose';
import { openStore } from './store.ts';

const { ObjectId } = mongoose.mongo;

/**
 * Finding, sorting and cutting through indexes against the simplest possible model: JavaScript's own filter and sort over the same
 * documents. The values are few, so that many are equal, and of every type that the application orders by.
 */

type Value = null | number | string | boolean | Date | InstanceType<typeof ObjectId>;
interface Thing {
  _id: number;
  owner: string;
  a?: Value;
  b?: Value;
}

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  // Numbers more often than the rest, so that ranges of one type meet.
  { weight: 5, arbitrary: fc.constantFrom(-1e300, -2, -0.5, 0, 1, 1.5, 2 ** 31, 2 ** 53) },
  fc.constantFrom('', 'a', 'a\u0000', 'a\u0001', 'ab', 'b', 'ä', '\uffff', '😀'),
  fc.boolean(),
  fc.constantFrom(-1, 0, 1, 1e12).map((ms) => new Date(ms)),
  fc.constantFrom('00', '7f', '80', 'ff').map((byte) => new ObjectId(byte.repeat(12))),
);
const things = fc.array(
  fc.record({ owner: fc.constantFrom('x', 'y', 'xy'), a: value, b: value }, { requiredKeys: ['owner'] }),
  { maxLength: 40 },
);
const direction = fc.constantFrom(1 as const, -1 as const);
const operator = fc.constantFrom('$eq', '$gt', '$gte', '$lt', '$lte', '$ne');
interface Condition {
  path: 'a' | 'b';
  operator: string;
  operand: Value;
}
const condition: fc.Arbitrary<Condition> = fc.record({ path: fc.constantFrom('a', 'b'), operator, operand: value });
/** Two ranges of one path and type: what an index narrows by both, or by what they have in common. */
const pair: fc.Arbitrary<Condition[]> = fc
  .tuple(
    fc.constantFrom('a' as const, 'b' as const),
    fc.constantFrom(['$gt', '$gte'], ['$lt', '$lte'], ['$lte', '$lt'], ['$eq', '$lt'], ['$gte', '$eq'], ['$gt', '$lt']),
    fc.constantFrom(-2, 0, 1, 1.5),
    fc.constantFrom(-2, 0, 1, 1.5),
  )
  .map(([path, operators, ...operands]) =>
    operators.map((each, at) => ({ path, operator: each, operand: operands[at] ?? 0 })),
  );
const conditions = fc.oneof(fc.array(condition, { maxLength: 2 }), pair);

interface Query {
  owners: string[];
  all: Condition[];
  any: Condition[];
  sort: ['owner' | 'a' | 'b', 1 | -1][];
  idDirection: 1 | -1;
  skip: number;
  limit: number;
}
const query: fc.Arbitrary<Query> = fc.record({
  owners: fc.constantFrom(['x'], ['y'], ['z'], ['y', 'x'], ['xy', 'z', 'x', 'x']),
  all: conditions,
  any: conditions,
  sort: fc.uniqueArray(fc.tuple(fc.constantFrom('owner', 'a', 'b'), direction), { selector: ([path]) => path }),
  idDirection: direction,
  skip: fc.nat(3),
  limit: fc.nat(6),
});
type Fields = [string, 1 | -1][];
const fields: fc.Arbitrary<Fields> = fc.array(fc.tuple(fc.constantFrom('owner', 'a', 'b', '_id'), direction), {
  minLength: 1,
  maxLength: 4,
});

/** The index that a query would like best, or the same one the other way round. */
function indexFor({ all, any, sort, idDirection }: Query, turn: 1 | -1): Fields {
  const ordered: Fields = sort.filter(([path]) => path !== 'owner');
  const narrowed: Fields = [...any, ...all].slice(0, 1).map(({ path }) => [path, 1]);
  const wanted: Fields = [['owner', 1], ...(ordered.length > 0 ? ordered : narrowed), ['_id', idDirection]];
  const owner = sort.find(([path]) => path === 'owner')?.[1] ?? 1;
  return wanted.map(([path, way]) => [path, (path === 'owner' ? owner * turn : way * turn) as 1 | -1]);
}

function rank(v: Value | undefined): number {
  if (v === null || v === undefined) return 0;
  const order = ['number', 'string', 'objectId', 'boolean', 'date'];
  return 1 + order.indexOf(v instanceof Date ? 'date' : v instanceof ObjectId ? 'objectId' : typeof v);
}

function compare(x: Value | undefined, y: Value | undefined): number {
  const byType = rank(x) - rank(y);
  if (byType !== 0 || x === null || x === undefined || y === null || y === undefined) return byType;
  if (typeof x === 'string') return Buffer.compare(Buffer.from(x), Buffer.from(String(y)));
  const [left, right] = x instanceof ObjectId ? [x.toString(), (y as typeof x).toString()] : [Number(x), Number(y)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function holds(
  thing: Thing,
  { path, operator, operand }: { path: 'a' | 'b'; operator: string; operand: Value },
): boolean {
  const actual = thing[path];
  const order = compare(actual, operand);
  if (operator === '$ne') return order !== 0;
  if (rank(actual) !== rank(operand)) return false;
  if (operator === '$gt') return order > 0;
  if (operator === '$lt') return order < 0;
  return operator === '$eq' ? order === 0 : operator === '$gte' ? order >= 0 : order <= 0;
}

test('finding, sorting and cutting equals filter, sort and slice, whatever indexes there are', async (t) => {
  const { db } = await openStore(t);
  let run = 0;
  const queries = fc.array(query, { minLength: 4, maxLength: 8 });

  await fc.assert(
    fc.asyncProperty(
      things,
      fc.array(fields, { maxLength: 2 }),
      fc.array(direction, { maxLength: 3 }),
      queries,
      async (given, indexes, turns, queries) => {
        const collection = db.collection<Thing>(`run ${(run += 1)}`);
        const documents: Thing[] = given.map((thing, n) => ({ _id: (n * 7) % 41, ...thing }));
        const tailored = queries.slice(0, turns.length).map((each, at) => indexFor(each, turns[at] ?? 1));
        const keys = [...indexes, ...tailored].map((each) => Object.fromEntries(each));
        const distinct = new Map(keys.map((key) => [JSON.stringify(key), key]));
        for (const key of distinct.values()) await collection.createIndexes([{ key, name: JSON.stringify(key) }]);
        if (documents.length > 0) await collection.insertMany(documents);

        for (const { owners, all, any, sort, idDirection, skip, limit } of queries) {
          const clause = (each: Condition) => ({ [each.path]: { [each.operator]: each.operand } });
          const filter = {
            owner: owners.length === 1 ? owners[0] : { $in: owners },
            $and: [{}, ...all.map(clause)],
            ...(any.length === 0 ? {} : { $or: any.map(clause) }),
          };
          const found = await collection
            .find(filter as object)
            .sort([...sort, ['_id', idDirection]])
            .skip(skip)
            .limit(limit)
            .toArray();

          const expected = documents
            .filter((thing) => owners.includes(thing.owner) && all.every((each) => holds(thing, each)))
            .filter((thing) => any.length === 0 || any.some((each) => holds(thing, each)))
            .sort((x, y) => {
              const orders = sort.map(([path, way]) => compare(x[path], y[path]) * way);
              return [...orders, (x._id - y._id) * idDirection].find((order) => order !== 0) ?? 0;
            })
            .slice(skip, limit === 0 ? undefined : skip + limit);
          assert.deepEqual(found, expected);
        }
      },
    ),
    { numRuns: 150, seed: 20_261_124 },
  );
});

const change = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), id: fc.nat(9), a: value }),
  fc.record({ kind: fc.constant('set' as const), id: fc.nat(9), a: value }),
  fc.record({ kind: fc.constant('unset' as const), id: fc.nat(9), a: value }),
  fc.record({ kind: fc.constant('delete' as const), id: fc.nat(9), a: value }),
);

test('after any writes, an index leads to what is there and to nothing else', async (t) => {
  const { db } = await openStore(t);
  let run = 0;

  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 25 }), async (changes) => {
      const collection = db.collection<{ _id: number; a?: Value }>(`run ${(run += 1)}`);
      await collection.createIndexes([{ key: { a: 1 } }, { key: { a: -1, _id: 1 }, unique: true }]);
      const model = new Map<number, Value | undefined>();
      for (const { kind, id, a } of changes) {
        if (kind === 'insert' && !model.has(id)) await collection.insertOne({ _id: id, a });
        if (kind === 'insert' && !model.has(id)) model.set(id, a);
        if (kind === 'set') await collection.updateOne({ _id: id }, { $set: { a } });
        if (kind === 'set' && model.has(id)) model.set(id, a);
        if (kind === 'unset') await collection.updateOne({ _id: id }, { $unset: { a: '' } });
        if (kind === 'unset' && model.has(id)) model.set(id, undefined);
        if (kind === 'delete') await collection.deleteOne({ _id: id });
        if (kind === 'delete') model.delete(id);
      }

      const found = await collection.find().sort({ a: 1, _id: -1 }).toArray();

      const expected = [...model].sort(([i, x], [j, y]) => compare(x, y) || j - i);
      assert.deepEqual(
        found.map(({ _id, a }) => [_id, a]),
        expected,
      );
    }),
    { numRuns: 40, seed: 20_261_124 },
  );
});
