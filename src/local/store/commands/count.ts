import { type Doc, encode, isDoc, toNumber } from '../documents.ts';
import { CommandError } from '../errors.ts';
import { parseFilter } from '../filter.ts';
import { countDocuments } from '../query.ts';
import { collectionName, type Command, findCollection, readDoc, readDocs, readNumber } from './command.ts';
import { openCursor } from './find.ts';

/** The one aggregation that there is: the driver's countDocuments, `[{$match}, {$skip}?, {$limit}?, {$group: {_id: 1, n: {$sum: 1}}}]`. */
const aggregate: Command = {
  fields: ['pipeline', 'cursor'],
  isWrite: false,
  *steps(engine, request) {
    const stages = readStages(readDocs(request.body, 'pipeline', 'aggregate'));
    const filter = readDoc(stages, '$match') ?? {};
    const skip = readNumber(stages, '$skip') ?? 0;
    const limit = readNumber(stages, '$limit') ?? 0;
    const collection = findCollection(engine, request);
    if (collection === undefined) parseFilter(filter);
    const n = collection === undefined ? 0 : yield* countDocuments(engine, collection, { filter, skip, limit });
    const ns = `${request.db}.${collectionName(request)}`;
    const counted = n === 0 ? [] : [encode({ _id: 1, n })];
    return yield* openCursor(engine, ns, counted, readDoc(request.body, 'cursor') ?? {});
  },
};

const STAGES = ['$match', '$skip', '$limit', '$group'];

function readStages(pipeline: readonly Doc[]): Doc {
  const stages: Doc = {};
  for (const stage of pipeline) {
    const [name = '', ...others] = Object.keys(stage);
    const isInPlace = STAGES.indexOf(name) > STAGES.indexOf(Object.keys(stages).at(-1) ?? '');
    if (others.length > 0 || !isInPlace) throw notACount(name);
    stages[name] = stage[name];
  }
  const { _id: id, n, ...more } = readDoc(stages, '$group') ?? {};
  const isCount = toNumber(id) === 1 && isDoc(n) && toNumber(n['$sum']) === 1 && Object.keys(more).length === 0;
  if (!isCount) throw notACount('$group');
  return stages;
}

function notACount(stage: string): CommandError {
  return new CommandError(
    40324,
    `Unrecognized pipeline stage name: '${stage}': the embedded store implements no aggregation but countDocuments`,
  );
}

export const countCommands: Readonly<Record<string, Command>> = { aggregate };
