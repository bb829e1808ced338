import { Binary } from 'bson';
import { encode, type Doc } from '../documents.ts';
import { compileFilter } from '../filter.ts';
import { collectionName, findCollection, readDoc, readFlag, type Command, type Engine } from './command.ts';
import { openCursor } from './find.ts';

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
    engine.cursors.closeOf(collection.ns);
    engine.catalog.drop(collection);
    return { nIndexesWas: collection.indexes.length, ns: collection.ns, ok: 1 };
  },
};

const dropDatabase: Command = {
  fields: [],
  isWrite: true,
  run({ catalog, cursors }, { db }) {
    const collections = catalog.of(db);
    for (const collection of collections) {
      cursors.closeOf(collection.ns);
      catalog.drop(collection);
    }
    return collections.length === 0 ? { ok: 1 } : { dropped: db, ok: 1 };
  },
};

const listCollections: Command = {
  fields: ['filter', 'nameOnly', 'authorizedCollections', 'cursor'],
  isWrite: false,
  run(engine, { body, db }) {
    const isWanted = compileFilter(readDoc(body, 'filter') ?? {});
    const described = engine.catalog.of(db).map(({ name, uuid }) => ({
      name,
      type: 'collection',
      options: {},
      info: { readOnly: false, uuid: new Binary(uuid, Binary.SUBTYPE_UUID) },
      idIndex: { v: 2, key: { _id: 1 }, name: '_id_' },
    }));
    const wanted = described.filter(isWanted);
    const shown = readFlag(body, 'nameOnly') ? wanted.map(({ name, type }) => ({ name, type })) : wanted;
    return listReply(engine, `${db}.$cmd.listCollections`, shown, body);
  },
};

/** Short lists come as cursors too, since that is what drivers expect. */
export function listReply(engine: Engine, ns: string, items: readonly Doc[], body: Doc): Uint8Array {
  return openCursor(engine, ns, items.map(encode).values(), readDoc(body, 'cursor') ?? {});
}

const listDatabases: Command = {
  fields: ['filter', 'nameOnly', 'authorizedDatabases'],
  isWrite: false,
  run({ catalog }, { body }) {
    const isWanted = compileFilter(readDoc(body, 'filter') ?? {});
    const names = new Set(catalog.all().map(({ db }) => db));
    const databases = [...names].map((name) => ({ name, sizeOnDisk: 0, empty: false })).filter(isWanted);
    const shown = readFlag(body, 'nameOnly') ? databases.map(({ name }) => ({ name })) : databases;
    return { databases: shown, totalSize: 0, ok: 1 };
  },
};

export const collectionCommands: Readonly<Record<string, Command>> = {
  create,
  drop,
  dropDatabase,
  listCollections,
  listDatabases,
};
