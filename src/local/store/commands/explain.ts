import { isDoc, type Doc } from '../documents.ts';
import { notImplemented } from '../errors.ts';
import { planQuery, type Plan } from '../plan.ts';
import { countOf, findDocuments, type Work } from '../query.ts';
import { checkFields, findCollection, type Command } from './command.ts';
import { FIND_FIELDS, readQuery } from './find.ts';

/** How a `find` is carried out and what it costs, in the words of MongoDB's answer. */
export const explain: Command = {
  fields: ['verbosity'],
  isWrite: false,
  run(engine, request) {
    const body = request.body['explain'];
    if (!isDoc(body) || Object.keys(body)[0] !== 'find') throw notImplemented('explaining anything but find');
    checkFields('find', body, new Set(['find', '$db', ...FIND_FIELDS]));
    const query = readQuery(body);
    const collection = findCollection(engine, { ...request, name: 'find', body });
    if (collection === undefined) return { queryPlanner: { winningPlan: { stage: 'EOF' } }, ok: 1 };
    const work: Work = { keysExamined: 0, docsExamined: 0 };
    const nReturned = countOf(findDocuments(engine.storage, collection, query, work));
    return {
      queryPlanner: {
        namespace: collection.ns,
        winningPlan: describe(planQuery(collection, query.filter, query.sort ?? [])),
      },
      executionStats: {
        executionSuccess: true,
        nReturned,
        totalKeysExamined: work.keysExamined,
        totalDocsExamined: work.docsExamined,
      },
      ok: 1,
    };
  },
};

function describe({ index, isBackward, isSorted, residual }: Plan): Doc {
  const direction = isBackward ? 'backward' : 'forward';
  const scan: Doc =
    index === undefined
      ? { stage: 'COLLSCAN', direction }
      : { stage: 'IXSCAN', indexName: index.name, keyPattern: index.spec['key'], direction };
  const fetch = { stage: 'FETCH', ...(residual === undefined ? {} : { filter: {} }), inputStage: scan };
  return isSorted ? fetch : { stage: 'SORT', inputStage: fetch };
}
