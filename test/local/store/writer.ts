/**
 * A process of its own that opens the store in a directory, and then `wait`s, `close`s it, or `write`s numbers from the one given
 * until it is killed, printing each one that was acknowledged.
 */
import mongoose from 'mongoose';
import { startEmbeddedStore } from '../../../src/local/store/index.ts';

const [directory = '', mode, first = '1'] = process.argv.slice(2);
const store = await startEmbeddedStore({ directory });
process.stdout.write(`${store.uri}\n`);
if (mode === 'close') await store.close();
if (mode === 'write') {
  const client = await new mongoose.mongo.MongoClient(store.uri, { w: 'majority', journal: true }).connect();
  const numbers = client.db('test').collection<{ _id: number }>('numbers');
  let last = Number(first) - 1;
  const write = async (): Promise<void> => {
    const n = (last += 1);
    await numbers.insertOne({ _id: n });
    process.stdout.write(`${n}\n`);
    return write();
  };
  await Promise.all([write(), write(), write(), write()]);
}
