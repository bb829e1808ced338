import { collectionName, type Command, findCollection } from './command.ts';

const create: Command = {
  // An option that is not here (capped, validator, timeseries, collation, …) is refused by name.
  fields: [],
  isWrite: true,
  run(engine, request) {
    // Without options there is nothing to differ from: MongoDB then answers that all is well, too.
    engine.catalog.ensure(request.db, collectionName(request));
    return { ok: 1 };
  },
};

const drop: Command = {
  fields: [],
  isWrite: true,
  run(engine, request) {
    const collection = findCollection(engine, request);
    if (collection === undefined) return { ok: 1 };
    engine.catalog.drop(collection);
    return { nIndexesWas: collection.indexes.length, ns: collection.ns, ok: 1 };
  },
};

const dropDatabase: Command = {
  fields: [],
  isWrite: true,
  run({ catalog }, { db }) {
    const collections = catalog.of(db);
    for (const collection of collections) catalog.drop(collection);
    return collections.length === 0 ? { ok: 1 } : { dropped: db, ok: 1 };
  },
};

export const collectionCommands: Readonly<Record<string, Command>> = {
  create,
  drop,
  dropDatabase,
};
